#include "services/location/location_metrics.h"

#include <chrono>
#include <vector>

#include "libs/metrics/buckets.h"
#include "prometheus/family.h"
#include "prometheus/histogram.h"

namespace ridestream::location {

using metrics::Readings;
using Kind = Readings::Kind;

LocationHandlers::OnBatch MeasureBatches(prometheus::Registry& registry) {
  auto& sizes = prometheus::BuildHistogram()
                    .Name("location_batch_positions")
                    .Help("Positions per reported batch")
                    .Register(registry)
                    .Add({}, metrics::SizeOfABatch());
  auto& seconds = prometheus::BuildHistogram()
                      .Name("location_apply_seconds")
                      .Help("Time to apply a batch of positions to the index, in seconds")
                      .Register(registry)
                      .Add({}, metrics::SecondsOfACall());
  return [&](size_t positions, std::chrono::nanoseconds took) {
    sizes.Observe(static_cast<double>(positions));
    seconds.Observe(std::chrono::duration<double>(took).count());
  };
}

void AddReadings(Readings& readings, const LocationHandlers& handlers,
                 const LocationConfig& config) {
  const LocationIndex& index = handlers.index();
  readings.Add(
      Kind::kCounter, "location_positions_total", "Reported positions, by outcome", [&index] {
        std::vector<Readings::Sample> samples;
        for (const std::string& market : index.Markets()) {
          const ApplyCounts counts = index.GetStats(market).positions;
          for (const auto& [outcome, count] :
               {std::pair("applied", counts.applied), std::pair("superseded", counts.superseded),
                std::pair("rejected", counts.rejected)}) {
            samples.push_back(
                {{{"market", market}, {"outcome", outcome}}, static_cast<double>(count)});
          }
        }
        return samples;
      });
  readings.Add(Kind::kGauge, "location_drivers",
               "Drivers in the index, including offline and stale ones", [&index] {
                 std::vector<Readings::Sample> samples;
                 for (const std::string& market : index.Markets()) {
                   samples.push_back(
                       {{{"market", market}}, static_cast<double>(index.GetStats(market).drivers)});
                 }
                 return samples;
               });
  const auto bound = [&](const char* name, const char* help, size_t value) {
    readings.AddOne(Kind::kGauge, name, help, [value] { return static_cast<double>(value); });
  };
  bound("location_drivers_bound", "Limit of drivers in a market",
        config.index.max_drivers_per_market);
  bound("location_markets_bound", "Limit of markets", config.index.max_markets);
  bound("location_viewers_bound", "Limit of open WatchArea streams", config.max_viewers);
  readings.AddOne(Kind::kCounter, "location_nearest_queries_total",
                  "Queries to FindNearest; a call holds many",
                  [&handlers] { return static_cast<double>(handlers.queries()); });
}

}  // namespace ridestream::location
