#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/clock.h"
#include "libs/base/sharded_counter.h"
#include "libs/tracing/span.h"

namespace ridestream::tracing {

/// Takes the spans that are kept. Thread-safe; must not block.
class SpanSink {
 public:
  virtual ~SpanSink() = default;
  virtual void Add(SpanData span) = 0;
};

struct SpanOptions {
  SpanKind kind = SpanKind::kInternal;
  /// Not valid: the span begins a trace.
  SpanContext parent = {};
  /// Whether to follow the parent's decision about sampling. False for the parent that a stranger
  /// names: the span keeps the trace's id, and decides for itself and what follows from it. By a
  /// number of its own, since a stranger chooses the trace's id as well.
  bool follow_parent = true;
  std::vector<SpanLink> links = {};
  /// For a span whose beginning was noted before it was known to be one; else it starts now.
  std::optional<Time> start = {};
};

/// Makes spans and decides which are kept.
///
/// A trace is sampled as a whole: its first span decides by the trace's id, and all others follow
/// their parent, whichever process they are in, unless SpanOptions::follow_parent forbids it. A
/// trace that begins with a link to a sampled one is sampled as well, so that no link leads
/// nowhere. A trace that isn't sampled is recorded all the same until the first span that this
/// process has of it (its local root) ends: the spans are kept if any of them has the status kError
/// or if the local root took `slow` or longer, else discarded. This second rule only sees this
/// process: of a trace that it keeps, the spans of other processes may be missing.
///
/// Thread-safe. Outlives its spans.
class Tracer {
 public:
  struct Options {
    /// Share of the traces that are sampled, 0 to 1.
    double ratio = 1;
    Duration slow = std::chrono::seconds(1);
    /// The wall clock. Not null.
    std::shared_ptr<const Clock> clock = nullptr;
    /// Not null.
    std::shared_ptr<SpanSink> sink = nullptr;
    /// Gives ids: any number, each as likely. Thread-safe. Null: from the machine's random device.
    std::function<std::uint64_t()> draw = nullptr;
    /// Spans of traces that aren't sampled that wait for the end of their local root, in one trace
    /// and in all. Those beyond are dropped and counted.
    std::size_t max_held_per_trace = 128;
    std::size_t max_held = 8'192;
  };

  explicit Tracer(Options options);

  Span Start(std::string_view name, SpanOptions options = {}) const;
  Time Now() const { return options_.clock->Now(); }

  /// Spans that are held now, and the number of those that weren't held for want of room.
  std::size_t held() const { return held_.load(std::memory_order_relaxed); }
  std::uint64_t dropped() const { return dropped_.value(); }

 private:
  friend class LocalTrace;
  friend class Span;

  void OnEnd(SpanData span) const;
  std::uint64_t DrawId() const;
  bool IsSampled(std::uint64_t random) const;

  const Options options_;
  mutable std::atomic<std::size_t> held_ = 0;
  mutable ShardedCounter dropped_;
};

}  // namespace ridestream::tracing
