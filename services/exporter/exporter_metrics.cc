#include "services/exporter/exporter_metrics.h"

#include <algorithm>
#include <chrono>

namespace ridestream::exporter {

using Kind = metrics::Readings::Kind;

void AddReadings(metrics::ServiceMetrics& metrics, const Exporter& exporter, const TripLog& log,
                 const EventQueue& queue, const Clock& clock) {
  metrics::Readings& readings = metrics.readings();
  readings.AddOne(Kind::kCounter, "exporter_events_produced_total",
                  "Events that were written to the topic",
                  [&exporter] { return static_cast<double>(exporter.counts().produced); });
  readings.AddOne(Kind::kCounter, "exporter_failures_total",
                  "Failed attempts to open the topic or to write to it",
                  [&exporter] { return static_cast<double>(exporter.counts().failures); });
  readings.AddOne(Kind::kGauge, "exporter_topic_open",
                  "1 while events can be written to the topic, otherwise 0",
                  [&exporter] { return exporter.counts().is_open ? 1.0 : 0.0; });
  readings.AddOne(Kind::kGauge, "exporter_log_open",
                  "1 while trip sends the events of its log, otherwise 0",
                  [&log] { return log.is_following() ? 1.0 : 0.0; });
  readings.AddOne(Kind::kGauge, "exporter_sequence", "Sequence of the last exported event",
                  [&exporter] { return static_cast<double>(exporter.counts().position); });
  readings.AddOne(Kind::kGauge, "exporter_lag_seconds",
                  "Age of the oldest event that was read but not yet written to the topic, in "
                  "seconds of the city's time; 0 if there is none",
                  [&queue, &clock] {
                    const std::optional<Time> oldest = queue.oldest();
                    if (!oldest) return 0.0;
                    return std::max(0.0,
                                    std::chrono::duration<double>(clock.Now() - *oldest).count());
                  });
  metrics.AddQueue(
      {{"queue", "events"}}, [&queue] { return static_cast<double>(queue.size()); },
      EventQueue::kMaxEvents);
}

void AddReadings(metrics::ServiceMetrics& metrics, const PositionFlow* flow) {
  metrics::Readings& readings = metrics.readings();
  const auto counts = [flow] {
    return flow == nullptr ? PositionExport::Counts() : flow->positions().counts();
  };
  readings.AddOne(Kind::kCounter, "exporter_positions_produced_total",
                  "Positions that were written to the topic of positions",
                  [counts] { return static_cast<double>(counts().produced); });
  readings.AddOne(Kind::kCounter, "exporter_positions_dropped_total",
                  "Positions that were replaced by newer ones before they were written, or lost",
                  [counts] { return static_cast<double>(counts().dropped); });
}

}  // namespace ridestream::exporter
