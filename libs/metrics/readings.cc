#include "libs/metrics/readings.h"

namespace ridestream::metrics {

void Readings::Add(Kind kind, std::string name, std::string help, Source source) {
  MutexLock lock(mu_);
  metrics_.push_back({kind, std::move(name), std::move(help), std::move(source)});
}

void Readings::AddOne(Kind kind, std::string name, std::string help,
                      std::function<double()> value) {
  Add(kind, std::move(name), std::move(help), [value = std::move(value)] {
    return std::vector<Sample>{{{}, value()}};
  });
}

std::vector<prometheus::MetricFamily> Readings::Collect() const {
  std::vector<Metric> metrics;
  {
    MutexLock lock(mu_);
    metrics = metrics_;
  }
  std::vector<prometheus::MetricFamily> families;
  for (const Metric& metric : metrics) {
    const bool counts = metric.kind == Kind::kCounter;
    prometheus::MetricFamily family;
    family.name = metric.name;
    family.help = metric.help;
    family.type = counts ? prometheus::MetricType::Counter : prometheus::MetricType::Gauge;
    for (const Sample& sample : metric.source()) {
      prometheus::ClientMetric& series = family.metric.emplace_back();
      for (const auto& [name, value] : sample.labels) series.label.push_back({name, value});
      (counts ? series.counter.value : series.gauge.value) = sample.value;
    }
    if (!family.metric.empty()) families.push_back(std::move(family));
  }
  return families;
}

}  // namespace ridestream::metrics
