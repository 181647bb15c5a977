#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "libs/base/clock.h"
#include "libs/tracing/trace_context.h"

namespace ridestream::tracing {

class Tracer;

/// Attributes, events and links of a span beyond these are left out and counted.
inline constexpr std::size_t kMaxAttributes = 64;
inline constexpr std::size_t kMaxEvents = 64;
inline constexpr std::size_t kMaxLinks = 128;

using AttributeValue = std::variant<std::string, std::int64_t, double, bool>;
struct Attribute {
  /// By OpenTelemetry's semantic conventions where they have a name ("rpc.method"), else
  /// "ridestream." and the field's name.
  std::string key;
  AttributeValue value;
  friend bool operator==(const Attribute&, const Attribute&) = default;
};

/// As OpenTelemetry defines the kinds.
enum class SpanKind { kInternal, kServer, kClient, kProducer, kConsumer };
enum class SpanStatus { kUnset, kOk, kError };

/// What happened at a moment of a span.
struct SpanEvent {
  Time time;
  std::string name;
  std::vector<Attribute> attributes = {};
};

/// A span, usually of another trace, that this one belongs to without being its child.
struct SpanLink {
  SpanContext context;
  std::vector<Attribute> attributes = {};
};

/// A span as it is exported.
struct SpanData {
  SpanContext context = {};
  /// None: the span is the first of its trace.
  SpanId parent = {};
  std::string name = {};
  SpanKind kind = SpanKind::kInternal;
  Time start = {};
  Time end = {};
  std::vector<Attribute> attributes = {};
  std::vector<SpanEvent> events = {};
  std::vector<SpanLink> links = {};
  SpanStatus status = SpanStatus::kUnset;
  std::string status_message = {};
  std::uint32_t dropped_attributes = 0;
  std::uint32_t dropped_events = 0;
  std::uint32_t dropped_links = 0;
};

/// A span under way. One that is made without a tracer records nothing, and each call on it returns
/// at once, so code that traces need not ask whether tracing is on. Ends when it is destroyed, at
/// the latest. Not thread-safe.
class Span {
 public:
  /// Records nothing.
  Span() = default;
  Span(Span&& other) noexcept = default;
  Span& operator=(Span&& other) noexcept;
  ~Span() { End(); }

  bool recording() const { return data_ != nullptr; }
  /// The parent for children and for calls to others. Not valid when the span records nothing, also
  /// after End.
  const SpanContext& context() const;

  /// A later value replaces an earlier one of the same key.
  void SetAttribute(std::string_view key, AttributeValue value);
  void AddEvent(std::string_view name, std::vector<Attribute> attributes = {});
  /// Nothing if `context` isn't valid.
  void AddLink(const SpanContext& context, std::vector<Attribute> attributes = {});
  void SetStatus(SpanStatus status, std::string_view message = {});

  /// Ends it now. A second call does nothing.
  void End();
  /// Ends it at another time, e.g. that of the event that ended it; not before it started.
  void EndAt(Time end);

 private:
  friend class Tracer;
  Span(const Tracer& tracer, std::unique_ptr<SpanData> data)
      : tracer_(&tracer), data_(std::move(data)) {}

  const Tracer* tracer_ = nullptr;  // Not null while data_ isn't.
  std::unique_ptr<SpanData> data_;
};

}  // namespace ridestream::tracing
