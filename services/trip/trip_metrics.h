#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

#include "libs/metrics/enum_counters.h"
#include "libs/metrics/exemplars.h"
#include "libs/metrics/service_metrics.h"
#include "libs/roads/streets.h"
#include "prometheus/family.h"
#include "prometheus/histogram.h"
#include "services/trip/domain/commands.h"
#include "services/trip/domain/trip_store.h"
#include "services/trip/handlers/trip_handlers.h"

namespace ridestream::trip {

/// Measures the writes of this process's store, which calls it on its own threads.
class StoreMeter {
 public:
  explicit StoreMeter(prometheus::Registry& registry);

  void Committed(size_t commands, std::chrono::nanoseconds took);
  void Failed(size_t commands);
  void Logged(const std::vector<EventPtr>& events);

 private:
  void Count(const v1::TripEvent& event);
  void ObserveWait(const v1::TripEvent& event);

  prometheus::Histogram& commit_seconds_;
  prometheus::Histogram& commit_commands_;
  prometheus::Counter& failed_;
  metrics::EnumCounters<v1::TripState> states_;
  prometheus::Counter& destinations_changed_;
  prometheus::Counter& released_;
  metrics::EnumCounters<v1::CancelReason> cancellations_;
  prometheus::Counter& drivers_lost_;
  prometheus::Family<prometheus::Histogram>& waits_;
  metrics::TracedHistogram wait_until_assigned_;
  metrics::TracedHistogram wait_until_unserved_;
  metrics::TracedHistogram wait_until_cancelled_;
};

/// What each market's map holds and its streets leave out; it doesn't change.
void AddStreetReadings(metrics::ServiceMetrics& metrics,
                       const std::map<std::string, const roads::Streets*>& markets);

/// Adds the gauges and counters that are read from the store and the handlers, which must outlive
/// the exporter.
void AddReadings(metrics::ServiceMetrics& metrics, const TripStore& store,
                 const TripHandlers& handlers);

}  // namespace ridestream::trip
