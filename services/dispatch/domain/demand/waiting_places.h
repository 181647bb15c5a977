#pragma once

#include <map>
#include <span>
#include <vector>

#include "libs/base/clock.h"
#include "libs/base/geo.h"
#include "libs/base/id.h"
#include "services/dispatch/domain/demand/demand_map.h"

namespace ridestream::dispatch {

/// Suggests to idle drivers where to wait: in cells where riders request trips and cars are
/// missing. No more cars are sent to a cell than are missing there, and a driver gets a suggestion
/// only from time to time. Not thread-safe.
class WaitingPlaces {
 public:
  /// Lifetime of a suggestion. Its driver gets no other one before it expires.
  static constexpr Duration kLasts = std::chrono::minutes(10);
  /// Maximum straight-line distance to which a driver is sent.
  static constexpr double kReachM = 4'000;

  struct FreeCar {
    DriverId driver;
    LatLng place;
  };
  struct Suggestion {
    DriverId driver;
    LatLng place;
    Time expires_at{};
  };

  /// Assigns to each shortage, in order, the nearest cars that aren't in a cell with a shortage
  /// themselves. Ties go by the order of the cars.
  std::vector<Suggestion> Suggest(std::span<const FreeCar> free_cars,
                                  std::span<const DemandMap::Shortage> shortages, Time now);

 private:
  struct Sent {
    std::uint64_t cell = 0;
    Time expires_at{};
  };
  std::map<DriverId, Sent> sent_;
};

}  // namespace ridestream::dispatch
