#include "libs/tracing/otlp/to_otlp.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "google/protobuf/repeated_field.h"
#include "libs/base/utf8.h"

namespace ridestream::tracing {
namespace {

namespace otlp = opentelemetry::proto;
using KeyValues = google::protobuf::RepeatedPtrField<otlp::common::v1::KeyValue>;

/// Most significant byte first.
std::string ToBytes(std::uint64_t number) {
  std::string bytes(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) {
    bytes[i] = static_cast<char>(static_cast<unsigned char>(number >> (56 - 8 * i)));
  }
  return bytes;
}

std::string ToBytes(const TraceId& id) { return ToBytes(id.high) + ToBytes(id.low); }

std::uint64_t ToUnixNanos(Time time) {
  return static_cast<std::uint64_t>(time.time_since_epoch().count()) * 1'000;
}

/// proto3 refuses to serialize a string that isn't UTF-8.
std::string ToUtf8(std::string_view text) {
  std::string valid;
  valid.reserve(text.size());
  while (!text.empty()) {
    const std::string_view before = text;
    if (TakeCodePoint(text)) {
      valid.append(before.substr(0, before.size() - text.size()));
    } else {
      valid.push_back('?');
      text.remove_prefix(1);
    }
  }
  return valid;
}

struct SetValue {
  otlp::common::v1::AnyValue& value;

  void operator()(const std::string& text) const { value.set_string_value(ToUtf8(text)); }
  void operator()(std::int64_t number) const { value.set_int_value(number); }
  void operator()(double number) const { value.set_double_value(number); }
  void operator()(bool flag) const { value.set_bool_value(flag); }
};

void AddAttributes(const std::vector<Attribute>& attributes, KeyValues& out) {
  for (const Attribute& attribute : attributes) {
    auto& pair = *out.Add();
    pair.set_key(ToUtf8(attribute.key));
    std::visit(SetValue{*pair.mutable_value()}, attribute.value);
  }
}

std::uint32_t ToFlags(const SpanContext& context) { return context.sampled ? 1 : 0; }

otlp::trace::v1::Span::SpanKind ToKind(SpanKind kind) {
  using Wire = otlp::trace::v1::Span;
  switch (kind) {
    case SpanKind::kInternal:
      return Wire::SPAN_KIND_INTERNAL;
    case SpanKind::kServer:
      return Wire::SPAN_KIND_SERVER;
    case SpanKind::kClient:
      return Wire::SPAN_KIND_CLIENT;
    case SpanKind::kProducer:
      return Wire::SPAN_KIND_PRODUCER;
    case SpanKind::kConsumer:
      return Wire::SPAN_KIND_CONSUMER;
  }
  return Wire::SPAN_KIND_UNSPECIFIED;
}

otlp::trace::v1::Status::StatusCode ToCode(SpanStatus status) {
  using Wire = otlp::trace::v1::Status;
  switch (status) {
    case SpanStatus::kUnset:
      return Wire::STATUS_CODE_UNSET;
    case SpanStatus::kOk:
      return Wire::STATUS_CODE_OK;
    case SpanStatus::kError:
      return Wire::STATUS_CODE_ERROR;
  }
  return Wire::STATUS_CODE_UNSET;
}

void ToOtlp(const SpanData& span, otlp::trace::v1::Span& out) {
  out.set_trace_id(ToBytes(span.context.trace_id));
  out.set_span_id(ToBytes(span.context.span_id.value));
  if (span.parent.valid()) out.set_parent_span_id(ToBytes(span.parent.value));
  out.set_trace_state(span.context.trace_state);
  out.set_flags(ToFlags(span.context));
  out.set_name(ToUtf8(span.name));
  out.set_kind(ToKind(span.kind));
  out.set_start_time_unix_nano(ToUnixNanos(span.start));
  out.set_end_time_unix_nano(ToUnixNanos(span.end));
  AddAttributes(span.attributes, *out.mutable_attributes());
  out.set_dropped_attributes_count(span.dropped_attributes);
  for (const SpanEvent& event : span.events) {
    auto& wire = *out.add_events();
    wire.set_time_unix_nano(ToUnixNanos(event.time));
    wire.set_name(ToUtf8(event.name));
    AddAttributes(event.attributes, *wire.mutable_attributes());
  }
  out.set_dropped_events_count(span.dropped_events);
  for (const SpanLink& link : span.links) {
    auto& wire = *out.add_links();
    wire.set_trace_id(ToBytes(link.context.trace_id));
    wire.set_span_id(ToBytes(link.context.span_id.value));
    wire.set_trace_state(link.context.trace_state);
    wire.set_flags(ToFlags(link.context));
    AddAttributes(link.attributes, *wire.mutable_attributes());
  }
  out.set_dropped_links_count(span.dropped_links);
  if (span.status == SpanStatus::kUnset) return;
  out.mutable_status()->set_code(ToCode(span.status));
  out.mutable_status()->set_message(ToUtf8(span.status_message));
}

}  // namespace

otlp::collector::trace::v1::ExportTraceServiceRequest ToOtlp(const std::vector<Attribute>& resource,
                                                             const std::vector<SpanData>& spans) {
  otlp::collector::trace::v1::ExportTraceServiceRequest request;
  auto& of_process = *request.add_resource_spans();
  AddAttributes(resource, *of_process.mutable_resource()->mutable_attributes());
  auto& scope = *of_process.add_scope_spans();
  scope.mutable_scope()->set_name("ridestream");
  for (const SpanData& span : spans) ToOtlp(span, *scope.add_spans());
  return request;
}

}  // namespace ridestream::tracing
