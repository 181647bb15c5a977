#pragma once

#include <vector>

#include "libs/base/mutex.h"
#include "libs/tracing/span.h"
#include "libs/tracing/tracer.h"

namespace ridestream::tracing {

/// The spans of this process in a trace that isn't sampled, from the start of the local root until
/// it is decided whether to keep them. Owned by the contexts of its spans. Thread-safe.
class LocalTrace {
 public:
  /// `tracer` must outlive it.
  LocalTrace(const Tracer& tracer, SpanId root) : tracer_(tracer), root_(root) {}
  ~LocalTrace();
  LocalTrace(const LocalTrace&) = delete;
  LocalTrace& operator=(const LocalTrace&) = delete;

  /// Holds `span`, or gives it and what is held to the tracer's sink, or discards it.
  void OnEnd(SpanData span);

 private:
  enum class State { kOpen, kKept, kDiscarded };

  void Hold(SpanData span) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  std::vector<SpanData> TakeHeld() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const Tracer& tracer_;
  const SpanId root_;
  Mutex mu_;
  State state_ ABSL_GUARDED_BY(mu_) = State::kOpen;
  std::vector<SpanData> spans_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ridestream::tracing
