#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/base/clock.h"
#include "libs/base/geo.h"
#include "libs/roads/graph/road_graph.h"
#include "loadtest/base/random.h"

namespace ridestream::loadtest {

/// A ride that somebody will request.
struct Request {
  /// City time since the start of the load.
  Duration due{};
  LatLng pickup;
  LatLng dropoff;
  std::uint32_t party_size = 1;

  friend bool operator==(const Request&, const Request&) = default;
};

/// All requests of a run, in the order in which they are due. Not thread-safe.
class Demand {
 public:
  virtual ~Demand() = default;
  /// The next request; nullopt after the last.
  virtual std::optional<Request> Next() = 0;
};

/// Endless demand: a Poisson process of `per_hour` requests between places on streets, at least 500
/// m apart if the city permits, mostly for one rider. `graph` must outlive it.
std::unique_ptr<Demand> GenerateDemand(const roads::RoadGraph& graph, double per_hour,
                                       std::uint64_t seed);

/// Demand from a CSV file with the header
/// `requested_at_s,pickup_lat,pickup_lng,dropoff_lat,dropoff_lng,riders`. Lines may be in any
/// order. Errors are those of ReadCsvFile.
absl::StatusOr<std::unique_ptr<Demand>> ReplayDemand(const std::string& file);

/// A car at its start.
struct FleetPlace {
  LatLng place;
  std::uint32_t seats = 4;

  friend bool operator==(const FleetPlace&, const FleetPlace&) = default;
};

/// Cars on streets; nine in ten have 4 seats, the others 6.
std::vector<FleetPlace> GenerateFleet(const roads::RoadGraph& graph, size_t drivers,
                                      std::uint64_t seed);

/// The first `drivers` cars of a CSV file with the header `lat,lng,seats`. Errors are those of
/// ReadCsvFile, and OUT_OF_RANGE if the file has fewer cars.
absl::StatusOr<std::vector<FleetPlace>> ReadFleet(const std::string& file, size_t drivers);

}  // namespace ridestream::loadtest
