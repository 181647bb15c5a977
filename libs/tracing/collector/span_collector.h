#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "libs/base/mutex.h"
#include "libs/tracing/span.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.grpc.pb.h"

namespace ridestream::tracing {

struct CollectedSpan {
  /// The resource's `service.name`.
  std::string service;
  SpanData data;
};

/// A collector in memory, for tools and tests: takes spans by OTLP over gRPC and keeps them in the
/// order in which they came, without their events. Thread-safe.
class SpanCollector final
    : public opentelemetry::proto::collector::trace::v1::TraceService::CallbackService {
 public:
  /// Refuses the spans beyond `max_spans`, as OTLP's partial success.
  explicit SpanCollector(std::size_t max_spans = 200'000) : max_spans_(max_spans) {}

  grpc::ServerUnaryReactor* Export(
      grpc::CallbackServerContext* context,
      const opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest* request,
      opentelemetry::proto::collector::trace::v1::ExportTraceServiceResponse* response) override;

  std::vector<CollectedSpan> spans() const;

 private:
  const std::size_t max_spans_;
  mutable Mutex mu_;
  std::vector<CollectedSpan> spans_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ridestream::tracing
