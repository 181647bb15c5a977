#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <random>
#include <string_view>
#include <utility>
#include <vector>

#include "libs/base/clock.h"
#include "libs/base/mutex.h"
#include "libs/tracing/process_tracer.h"
#include "libs/tracing/tracer.h"

namespace ridestream::tracing::testing {

/// Keeps the spans that end, for the test to read. Thread-safe.
class RecordedSpans final : public SpanSink {
 public:
  /// Traces this process from now on, every trace until SampleNew, with the wall clock. Ends no
  /// earlier than the process; each test begins with Clear.
  static RecordedSpans& OfProcess() {
    static const std::shared_ptr<RecordedSpans> spans = [] {
      auto made = std::make_shared<RecordedSpans>();
      UseTracer(std::make_shared<Tracer>(
                    Tracer::Options{.ratio = 0.5,
                                    .clock = std::make_shared<ScaledClock>(),
                                    .sink = made,
                                    .draw = [&made = *made] { return made.Draw(); }}),
                [] { return Figures(); });
      return made;
    }();
    return *spans;
  }

  void Add(SpanData span) override {
    MutexLock lock(mu_);
    spans_.push_back(std::move(span));
    changed_.SignalAll();
  }
  /// Whether traces whose sampling this process decides are sampled from now on.
  void SampleNew(bool sampled) { samples_ = sampled; }
  void Clear() {
    SampleNew(true);
    MutexLock lock(mu_);
    spans_.clear();
  }
  /// Waits until a span of this kind and name has ended, and returns it.
  SpanData Await(SpanKind kind, std::string_view name) {
    MutexLock lock(mu_);
    for (;;) {
      for (const SpanData& span : spans_) {
        if (span.kind == kind && span.name == name) return span;
      }
      changed_.Wait(mu_);
    }
  }
  std::vector<SpanData> all() const {
    MutexLock lock(mu_);
    return spans_;
  }

 private:
  /// The highest of the bits by which a ratio of 0.5 decides.
  static constexpr std::uint64_t kUnsampled = std::uint64_t{1} << 55;

  std::uint64_t Draw() {
    static thread_local std::mt19937_64 random{std::random_device()()};
    return samples_ ? random() & ~kUnsampled : random() | kUnsampled;
  }

  std::atomic<bool> samples_ = true;
  mutable Mutex mu_;
  CondVar changed_;
  std::vector<SpanData> spans_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ridestream::tracing::testing
