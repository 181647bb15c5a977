#include "libs/tracing/trace_flags.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdint>
#include <utility>

#include "absl/flags/flag.h"
#include "absl/time/time.h"
#include "libs/base/clock.h"
#include "libs/base/host_port.h"
#include "libs/base/worker.h"
#include "libs/rpc/request_id.h"
#include "libs/service/flag_range.h"
#include "libs/tracing/process_tracer.h"

ABSL_FLAG(std::string, trace_to, "",
          "Collector that gets the traces by OTLP over gRPC in plaintext, HOST:PORT. Empty: "
          "nothing is traced");
RIDESTREAM_RANGED_FLAG(
    double, trace_sample, 1.0,
    "Share of the traces that are sampled. A service's or an operator's call that "
    "carries the header traceparent is sampled if that says so",
    0, 1);
RIDESTREAM_RANGED_FLAG(absl::Duration, trace_slow, absl::Seconds(1),
                       "Wall-clock time from which this process keeps the spans of a call although "
                       "its trace isn't sampled. The spans of a call that fails are kept as well",
                       absl::ZeroDuration(), absl::Hours(24));

namespace ridestream::tracing {

absl::StatusOr<TracedProcess> TracedProcess::StartFromFlags(const std::string& service) {
  TracedProcess process;
  const std::string target = absl::GetFlag(FLAGS_trace_to);
  if (target.empty()) return process;
  if (const auto address = ParseHostPort(target);
      !address.ok() || address->host.empty() || address->port == 0) {
    return absl::InvalidArgumentError(fmt::format("--trace_to={}: must be HOST:PORT", target));
  }
  static auto* const executor = new ThreadExecutor();
  auto exporter = std::make_shared<OtlpExporter>(
      OtlpExporter::Options{.target = target,
                            .resource = {{"service.name", service},
                                         {"service.namespace", "ridestream"},
                                         {"service.instance.id", rpc::NewRequestId()},
                                         {"process.pid", static_cast<std::int64_t>(getpid())},
                                         {"telemetry.sdk.name", "ridestream"},
                                         {"telemetry.sdk.language", "cpp"}}},
      *executor);
  auto tracer = std::make_shared<Tracer>(
      Tracer::Options{.ratio = absl::GetFlag(FLAGS_trace_sample),
                      .slow = absl::ToChronoMicroseconds(absl::GetFlag(FLAGS_trace_slow)),
                      .clock = std::make_shared<ScaledClock>(),
                      .sink = exporter});
  UseTracer(tracer, [exporter, tracer] {
    Figures figures = exporter->figures();
    figures.dropped += tracer->dropped();
    return figures;
  });
  process.exporter_ = std::move(exporter);
  return process;
}

TracedProcess::~TracedProcess() {
  if (exporter_ != nullptr) exporter_->Stop();
}

}  // namespace ridestream::tracing
