#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "libs/base/mutex.h"
#include "prometheus/collectable.h"
#include "prometheus/labels.h"
#include "prometheus/metric_family.h"

namespace ridestream::metrics {

/// Metrics that cost nothing until a scrape, because their values are read then. For values that
/// the process holds anyway (queues, sessions, counters of a hot path). Thread-safe; whatever the
/// sources refer to must outlive the exporter.
class Readings final : public prometheus::Collectable {
 public:
  enum class Kind { kCounter, kGauge };
  /// One series of a metric.
  struct Sample {
    prometheus::Labels labels;
    double value = 0;
  };
  /// Called on a thread of the exporter. Must not block. Empty if the value isn't known.
  using Source = std::function<std::vector<Sample>()>;

  /// `name` must not be added twice.
  void Add(Kind kind, std::string name, std::string help, Source source);
  /// Adds a metric without labels.
  void AddOne(Kind kind, std::string name, std::string help, std::function<double()> value);

  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  struct Metric {
    Kind kind;
    std::string name;
    std::string help;
    Source source;
  };

  mutable Mutex mu_;
  std::vector<Metric> metrics_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ridestream::metrics
