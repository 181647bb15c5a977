#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "libs/base/mutex.h"
#include "libs/tracing/trace_context.h"
#include "prometheus/family.h"
#include "prometheus/histogram.h"

namespace ridestream::metrics {

/// A traced observation of a histogram, for whoever wants to see an example of a bucket.
struct Exemplar {
  tracing::TraceId trace;
  double value = 0;
  std::chrono::system_clock::time_point at;
};

/// The newest exemplar of each bucket of a histogram. Thread-safe; its lock is a leaf.
class BucketExemplars {
 public:
  explicit BucketExemplars(prometheus::Histogram::BucketBoundaries bounds);

  void Keep(const Exemplar& exemplar);
  /// The exemplar of the bucket with this index; the last bucket is that of +Inf.
  std::optional<Exemplar> Find(std::size_t bucket) const;

 private:
  const prometheus::Histogram::BucketBoundaries bounds_;
  mutable Mutex mu_;
  std::vector<std::optional<Exemplar>> newest_ ABSL_GUARDED_BY(mu_);
};

/// The exemplars of a process's histograms, by the histogram's name and labels. Bounded: a
/// histogram beyond kMaxHistograms has none. Thread-safe.
class Exemplars {
 public:
  static constexpr std::size_t kMaxHistograms = 1'000;

  /// The process's own object, which is never destroyed: calls may go on while the process ends.
  static Exemplars& OfProcess();

  /// The exemplars of this histogram, made if it has none yet. Null: there are too many histograms.
  BucketExemplars* Add(const std::string& name, const std::map<std::string, std::string>& labels,
                       prometheus::Histogram::BucketBoundaries bounds);
  /// Null if nobody added them.
  const BucketExemplars* Find(const std::string& name,
                              const std::map<std::string, std::string>& labels) const;

 private:
  using Key = std::pair<std::string, std::map<std::string, std::string>>;

  mutable Mutex mu_;
  std::map<Key, std::unique_ptr<BucketExemplars>> histograms_ ABSL_GUARDED_BY(mu_);
};

/// A histogram of durations that keeps exemplars of this process's sampled traces. Without a trace
/// an observation costs one comparison more than the histogram's own. A value; thread-safe.
class TracedHistogram {
 public:
  /// `family` gets a histogram with these labels.
  TracedHistogram(prometheus::Family<prometheus::Histogram>& family,
                  const std::map<std::string, std::string>& labels,
                  const prometheus::Histogram::BucketBoundaries& bounds)
      : histogram_(family.Add(labels, bounds)),
        exemplars_(Exemplars::OfProcess().Add(family.GetName(), labels, bounds)) {}

  /// `trace` is that of a sampled span; not valid: none.
  void Observe(std::chrono::nanoseconds took, const tracing::TraceId& trace = {});

 private:
  prometheus::Histogram& histogram_;
  BucketExemplars* const exemplars_;
};

}  // namespace ridestream::metrics
