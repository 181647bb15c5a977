#include "libs/tracing/collector/span_collector.h"

#include <chrono>
#include <cstdint>
#include <string_view>
#include <utility>

namespace ridestream::tracing {
namespace {

namespace otlp = opentelemetry::proto;

/// A number of eight bytes, the most significant first; 0 for any other length, which is no id.
std::uint64_t FromBytes(std::string_view bytes) {
  if (bytes.size() != sizeof(std::uint64_t)) return 0;
  std::uint64_t number = 0;
  for (const char byte : bytes) number = number << 8 | static_cast<unsigned char>(byte);
  return number;
}

TraceId ToTraceId(std::string_view bytes) {
  if (bytes.size() != 2 * sizeof(std::uint64_t)) return {};
  return {FromBytes(bytes.substr(0, 8)), FromBytes(bytes.substr(8))};
}

Time FromUnixNanos(std::uint64_t nanos) {
  return Time(std::chrono::duration_cast<Duration>(std::chrono::nanoseconds(nanos)));
}

AttributeValue ToValue(const otlp::common::v1::AnyValue& value) {
  switch (value.value_case()) {
    case otlp::common::v1::AnyValue::kBoolValue:
      return value.bool_value();
    case otlp::common::v1::AnyValue::kIntValue:
      return std::int64_t{value.int_value()};
    case otlp::common::v1::AnyValue::kDoubleValue:
      return value.double_value();
    default:
      return value.string_value();
  }
}

SpanData ToSpan(const otlp::trace::v1::Span& wire) {
  using Wire = otlp::trace::v1::Span;
  SpanData span;
  span.context = {.trace_id = ToTraceId(wire.trace_id()),
                  .span_id = {FromBytes(wire.span_id())},
                  .sampled = (wire.flags() & 1) != 0,
                  .trace_state = wire.trace_state()};
  span.parent = {FromBytes(wire.parent_span_id())};
  span.name = wire.name();
  span.kind = wire.kind() == Wire::SPAN_KIND_SERVER     ? SpanKind::kServer
              : wire.kind() == Wire::SPAN_KIND_CLIENT   ? SpanKind::kClient
              : wire.kind() == Wire::SPAN_KIND_PRODUCER ? SpanKind::kProducer
              : wire.kind() == Wire::SPAN_KIND_CONSUMER ? SpanKind::kConsumer
                                                        : SpanKind::kInternal;
  span.start = FromUnixNanos(wire.start_time_unix_nano());
  span.end = FromUnixNanos(wire.end_time_unix_nano());
  for (const auto& pair : wire.attributes()) {
    span.attributes.push_back({pair.key(), ToValue(pair.value())});
  }
  for (const auto& link : wire.links()) {
    span.links.push_back(
        {{.trace_id = ToTraceId(link.trace_id()), .span_id = {FromBytes(link.span_id())}}});
  }
  if (wire.status().code() == otlp::trace::v1::Status::STATUS_CODE_ERROR) {
    span.status = SpanStatus::kError;
  }
  span.status_message = wire.status().message();
  return span;
}

}  // namespace

grpc::ServerUnaryReactor* SpanCollector::Export(
    grpc::CallbackServerContext* context,
    const otlp::collector::trace::v1::ExportTraceServiceRequest* request,
    otlp::collector::trace::v1::ExportTraceServiceResponse* response) {
  std::int64_t rejected = 0;
  {
    MutexLock lock(mu_);
    for (const auto& of_process : request->resource_spans()) {
      std::string service;
      for (const auto& attribute : of_process.resource().attributes()) {
        if (attribute.key() == "service.name") service = attribute.value().string_value();
      }
      for (const auto& scope : of_process.scope_spans()) {
        for (const auto& span : scope.spans()) {
          if (spans_.size() < max_spans_) {
            spans_.push_back({service, ToSpan(span)});
          } else {
            ++rejected;
          }
        }
      }
    }
  }
  if (rejected > 0) {
    response->mutable_partial_success()->set_rejected_spans(rejected);
    response->mutable_partial_success()->set_error_message("the collector is full");
  }
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

std::vector<CollectedSpan> SpanCollector::spans() const {
  MutexLock lock(mu_);
  return spans_;
}

}  // namespace ridestream::tracing
