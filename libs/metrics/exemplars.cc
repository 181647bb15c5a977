#include "libs/metrics/exemplars.h"

#include <algorithm>

namespace ridestream::metrics {

BucketExemplars::BucketExemplars(prometheus::Histogram::BucketBoundaries bounds)
    : bounds_(std::move(bounds)), newest_(bounds_.size() + 1) {}

void BucketExemplars::Keep(const Exemplar& exemplar) {
  // A bucket includes its upper bound.
  const auto bucket = static_cast<std::size_t>(
      std::lower_bound(bounds_.begin(), bounds_.end(), exemplar.value) - bounds_.begin());
  MutexLock lock(mu_);
  newest_[bucket] = exemplar;
}

std::optional<Exemplar> BucketExemplars::Find(std::size_t bucket) const {
  MutexLock lock(mu_);
  return bucket < newest_.size() ? newest_[bucket] : std::nullopt;
}

Exemplars& Exemplars::OfProcess() {
  static auto* const exemplars = new Exemplars();
  return *exemplars;
}

BucketExemplars* Exemplars::Add(const std::string& name,
                                const std::map<std::string, std::string>& labels,
                                prometheus::Histogram::BucketBoundaries bounds) {
  MutexLock lock(mu_);
  const Key key(name, labels);
  const auto found = histograms_.find(key);
  if (found != histograms_.end()) return found->second.get();
  if (histograms_.size() >= kMaxHistograms) return nullptr;
  return histograms_.emplace(key, std::make_unique<BucketExemplars>(std::move(bounds)))
      .first->second.get();
}

const BucketExemplars* Exemplars::Find(const std::string& name,
                                       const std::map<std::string, std::string>& labels) const {
  MutexLock lock(mu_);
  const auto found = histograms_.find(Key(name, labels));
  return found == histograms_.end() ? nullptr : found->second.get();
}

void TracedHistogram::Observe(std::chrono::nanoseconds took, const tracing::TraceId& trace) {
  const double seconds = std::chrono::duration<double>(took).count();
  histogram_.Observe(seconds);
  if (!trace.valid() || exemplars_ == nullptr) return;
  exemplars_->Keep({trace, seconds, std::chrono::system_clock::now()});
}

}  // namespace ridestream::metrics
