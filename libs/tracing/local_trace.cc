#include "libs/tracing/local_trace.h"

#include <utility>

namespace ridestream::tracing {

LocalTrace::~LocalTrace() {
  MutexLock lock(mu_);
  TakeHeld();
}

void LocalTrace::OnEnd(SpanData span) {
  span.context.local = nullptr;  // A span that is held mustn't own what holds it.
  const bool is_root = span.context.span_id == root_;
  const bool is_kept = span.status == SpanStatus::kError ||
                       (is_root && span.end - span.start >= tracer_.options_.slow);
  std::vector<SpanData> kept;
  {
    MutexLock lock(mu_);
    if (state_ == State::kOpen && is_kept) {
      state_ = State::kKept;
      kept = TakeHeld();
    } else if (state_ == State::kOpen && is_root) {
      state_ = State::kDiscarded;
      TakeHeld();
    }
    if (state_ == State::kKept || is_kept) {
      kept.push_back(std::move(span));
    } else if (state_ == State::kOpen) {
      Hold(std::move(span));
    }
  }
  for (SpanData& each : kept) tracer_.options_.sink->Add(std::move(each));
}

void LocalTrace::Hold(SpanData span) {
  if (spans_.size() >= tracer_.options_.max_held_per_trace) {
    tracer_.dropped_.Add();
    return;
  }
  if (tracer_.held_.fetch_add(1, std::memory_order_relaxed) >= tracer_.options_.max_held) {
    tracer_.held_.fetch_sub(1, std::memory_order_relaxed);
    tracer_.dropped_.Add();
    return;
  }
  spans_.push_back(std::move(span));
}

std::vector<SpanData> LocalTrace::TakeHeld() {
  tracer_.held_.fetch_sub(spans_.size(), std::memory_order_relaxed);
  return std::exchange(spans_, {});
}

}  // namespace ridestream::tracing
