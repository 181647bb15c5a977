#include "libs/tracing/otlp/otlp_exporter.h"

#include <algorithm>
#include <utility>

#include "grpcpp/grpcpp.h"
#include "libs/rpc/channel.h"
#include "libs/service/service.h"
#include "libs/tracing/otlp/to_otlp.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.grpc.pb.h"

namespace ridestream::tracing {
namespace {

using opentelemetry::proto::collector::trace::v1::ExportTraceServiceResponse;
using opentelemetry::proto::collector::trace::v1::TraceService;

}  // namespace

OtlpExporter::OtlpExporter(Options options, Executor& executor)
    : options_(std::move(options)),
      queue_(options_.max_waiting),
      channel_(rpc::MakeChannel(options_.target,
                                {.retried_services = {TraceService::service_full_name()},
                                 .credentials = grpc::InsecureChannelCredentials()})),
      worker_(executor.Start([this] { return Step(); })) {}

void OtlpExporter::Add(SpanData span) {
  // Once for each batch, unless the worker takes some meanwhile: then it looks again by itself.
  if (queue_.Add(std::move(span)) != options_.batch) return;
  MutexLock lock(mu_);
  if (worker_ != nullptr) worker_->Wake();
}

void OtlpExporter::Stop() {
  if (channel_ == nullptr) return;
  std::unique_ptr<Worker> worker;
  {
    MutexLock lock(mu_);
    worker = std::move(worker_);
  }
  worker.reset();  // Without the lock, since it waits for the batch under way.
  while (!fails_ && queue_.size() > 0) Step();
  channel_.reset();
}

Figures OtlpExporter::figures() const {
  return {.exported = exported_,
          .dropped = queue_.dropped() + lost_,
          .waiting = queue_.size(),
          .bound = queue_.bound()};
}

std::optional<std::chrono::nanoseconds> OtlpExporter::Step() {
  const std::vector<SpanData> spans = queue_.Take(options_.batch);
  if (!spans.empty()) fails_ = !Export(spans);
  if (queue_.size() >= options_.batch) return std::chrono::nanoseconds(0);
  return options_.every;
}

bool OtlpExporter::Export(const std::vector<SpanData>& spans) {
  grpc::ClientContext context;
  rpc::SetTimeout(context, options_.timeout);
  ExportTraceServiceResponse response;
  const auto stub = TraceService::NewStub(channel_);
  const grpc::Status status = stub->Export(&context, ToOtlp(options_.resource, spans), &response);
  LogChange(!status.ok(), status.error_message());
  if (!status.ok()) {
    lost_ += spans.size();
    return false;
  }
  const std::int64_t refused = std::clamp<std::int64_t>(response.partial_success().rejected_spans(),
                                                        0, static_cast<std::int64_t>(spans.size()));
  lost_ += static_cast<std::uint64_t>(refused);
  exported_ += spans.size() - static_cast<std::uint64_t>(refused);
  return true;
}

void OtlpExporter::LogChange(bool fails, const std::string& error) {
  if (fails == fails_) return;
  if (fails) {
    service::Log(service::Level::kWarning, "trace_export_failed",
                 {{"collector", options_.target}, {"error", error}});
  } else {
    service::Log(service::Level::kInfo, "trace_export_resumed", {{"collector", options_.target}});
  }
}

}  // namespace ridestream::tracing
