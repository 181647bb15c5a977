#include "tests/bench/stream/switch_cost.h"

#include <fmt/format.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>

#include "libs/process/local_services.h"
#include "libs/rpc/server.h"
#include "libs/testing/temp_folder.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.grpc.pb.h"
#include "tests/bench/stream/flood.h"
#include "tests/bench/stream/push_latency.h"

namespace ridestream::bench {
namespace {

namespace collector_v1 = opentelemetry::proto::collector::trace::v1;
using process::LocalServices;

/// Takes every span, counts it and discards it.
class CountingCollector final : public collector_v1::TraceService::CallbackService {
 public:
  grpc::ServerUnaryReactor* Export(grpc::CallbackServerContext* context,
                                   const collector_v1::ExportTraceServiceRequest* request,
                                   collector_v1::ExportTraceServiceResponse*) override {
    for (const auto& of_process : request->resource_spans()) {
      for (const auto& scope : of_process.scope_spans()) {
        spans_ += static_cast<std::uint64_t>(scope.spans_size());
      }
    }
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
  std::uint64_t spans() const { return spans_; }

 private:
  std::atomic<std::uint64_t> spans_ = 0;
};

/// One setting of the switch, with services of its own.
struct Setting {
  std::string name;
  std::unique_ptr<LocalServices> system = nullptr;
  // One of each round.
  std::vector<double> rates = {};
  std::vector<double> cpu_us = {};
  std::vector<double> p50_us = {};
  std::vector<double> p99_us = {};
};

absl::Status Start(Setting& setting, LocalServices::Options options) {
  options.insecure = true;
  // Drivers that send all they can are what is measured here.
  options.dispatch_flags.push_back("--max_positions_per_s=0");
  auto system = LocalServices::Start(options);
  if (!system.ok()) return system.status();
  setting.system = *std::move(system);
  return absl::OkStatus();
}

/// CPU time of all services so far.
absl::StatusOr<std::chrono::duration<double, std::micro>> CpuTime(const LocalServices& system) {
  std::chrono::duration<double, std::micro> sum{0};
  for (const std::string& service : system.names()) {
    const auto used = system.process(service).CpuTime();
    if (!used.ok()) return used.status();
    sum += *used;
  }
  return sum;
}

absl::Status Measure(Setting& setting, const std::vector<LatLng>& places,
                     std::chrono::seconds length) {
  const auto before = CpuTime(*setting.system);
  if (!before.ok()) return before.status();
  const Flooded flooded = FloodWithRides(*setting.system, places, length);
  const auto after = CpuTime(*setting.system);
  if (!after.ok()) return after.status();
  setting.rates.push_back(flooded.per_second);
  setting.cpu_us.push_back((*after - *before).count() / static_cast<double>(flooded.taken));
  const auto push = MeasurePushes(*setting.system, places, length);
  if (!push.ok()) return push.status();
  setting.p50_us.push_back(push->p50_us);
  setting.p99_us.push_back(push->p99_us);
  Print(fmt::format("  {:<14}{:>12.0f}{:>12.2f}{:>12.0f}{:>12.0f}", setting.name,
                    setting.rates.back(), setting.cpu_us.back(), push->p50_us, push->p99_us));
  return absl::OkStatus();
}

double MedianRatio(const std::vector<double>& values, const std::vector<double>& base) {
  std::vector<double> ratios;
  for (std::size_t round = 0; round < values.size(); ++round) {
    ratios.push_back(values[round] / base[round]);
  }
  return Median(ratios);
}

absl::Status Compare(std::deque<Setting>& settings, const std::vector<LatLng>& places, int rounds,
                     std::chrono::seconds length, nlohmann::json& figures) {
  for (int round = 0; round < rounds; ++round) {
    Print(
        fmt::format("round {:<10}positions/s      CPU us    push p50    push p99 (us)", round + 1));
    // There and back again in turn, so that a drift of the machine favours no setting.
    for (std::size_t i = 0; i < settings.size(); ++i) {
      Setting& setting = settings[round % 2 == 0 ? i : settings.size() - 1 - i];
      if (absl::Status status = Measure(setting, places, length); !status.ok()) return status;
    }
  }
  const Setting& base = settings.front();
  for (const Setting& setting : settings) {
    figures[setting.name + ".positions_per_s"] = Median(setting.rates);
    figures[setting.name + ".cpu_us_a_position"] = Median(setting.cpu_us);
    figures[setting.name + ".push_us.p50"] = Median(setting.p50_us);
    figures[setting.name + ".push_us.p99"] = Median(setting.p99_us);
    if (&setting == &base) continue;
    figures[setting.name + ".rate_ratio"] = MedianRatio(setting.rates, base.rates);
    figures[setting.name + ".cpu_ratio"] = MedianRatio(setting.cpu_us, base.cpu_us);
    figures[setting.name + ".push_p50_ratio"] = MedianRatio(setting.p50_us, base.p50_us);
    figures[setting.name + ".push_p99_ratio"] = MedianRatio(setting.p99_us, base.p99_us);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status MeasureTracing(const std::string& bin, const std::vector<LatLng>& places, int rounds,
                            std::chrono::seconds length, nlohmann::json& figures) {
  CountingCollector collector;
  const auto server = rpc::Server::Start({.services = {&collector}});
  if (!server.ok()) return server.status();
  std::deque<Setting> settings;
  for (const auto& [name, share] :
       {std::pair("trace.off", ""), std::pair("trace.1pct", "0.01"), std::pair("trace.all", "1")}) {
    std::vector<std::string> flags;
    if (*share != '\0') {
      flags = {"--trace_to=" + (*server)->address(), fmt::format("--trace_sample={}", share)};
    }
    absl::Status status =
        Start(settings.emplace_back(Setting{name}),
              {.bin = bin, .trip_flags = flags, .location_flags = flags, .dispatch_flags = flags});
    if (!status.ok()) return status;
  }
  absl::Status status = Compare(settings, places, rounds, length, figures);
  settings.clear();  // The services send their last spans.
  figures["trace.spans"] = collector.spans();
  if (status.ok() && collector.spans() == 0) {
    status = absl::InternalError("the collector got no span: nothing was traced");
  }
  return status;
}

absl::Status MeasureRecording(const std::string& bin, const std::vector<LatLng>& places, int rounds,
                              std::chrono::seconds length, nlohmann::json& figures) {
  const testing::TempFolder folder;
  std::deque<Setting> settings;
  for (const bool records : {false, true}) {
    std::vector<std::string> flags;
    if (records) flags.push_back("--record=" + folder.path());
    absl::Status status =
        Start(settings.emplace_back(Setting{records ? "record.on" : "record.off"}),
              {.bin = bin, .dispatch_flags = flags});
    if (!status.ok()) return status;
  }
  return Compare(settings, places, rounds, length, figures);
}

}  // namespace ridestream::bench
