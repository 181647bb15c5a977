#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace ridestream::tracing {

/// The metadata keys of the W3C Trace Context, https://www.w3.org/TR/trace-context/.
inline constexpr char kTraceParentKey[] = "traceparent";
inline constexpr char kTraceStateKey[] = "tracestate";

/// The id of a trace; zero is no id.
struct TraceId {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  bool valid() const { return high != 0 || low != 0; }
  /// 32 lower-case hexadecimal digits.
  std::string ToHex() const;
  friend bool operator==(const TraceId&, const TraceId&) = default;
};

/// The id of a span within its trace; zero is no id.
struct SpanId {
  std::uint64_t value = 0;

  bool valid() const { return value != 0; }
  /// 16 lower-case hexadecimal digits.
  std::string ToHex() const;
  friend bool operator==(const SpanId&, const SpanId&) = default;
};

class LocalTrace;

/// Names a span for its children and for links, in this process and in others. A value.
struct SpanContext {
  TraceId trace_id = {};
  SpanId span_id = {};
  /// Whether the first span of the trace was sampled, and so all others are.
  bool sampled = false;
  /// What other tracing systems added, as it came; passed on and never read.
  std::string trace_state = {};
  /// The spans of a trace that isn't sampled, while this process may still keep them. Null for a
  /// sampled span, and for a span of another process.
  std::shared_ptr<LocalTrace> local = nullptr;

  bool valid() const { return trace_id.valid() && span_id.valid(); }
};

/// The context that the two headers carry. nullopt unless `traceparent` is valid: what comes from
/// outside is used as a whole or not at all. A later version than 00 is read as 00, as the
/// specification demands. A `tracestate` that is malformed, longer than 512 bytes or of more than
/// 32 members is dropped alone.
std::optional<SpanContext> ParseTraceContext(std::string_view traceparent,
                                             std::string_view tracestate = {});

/// The header `traceparent`, in version 00. `context` must be valid.
std::string FormatTraceParent(const SpanContext& context);

}  // namespace ridestream::tracing
