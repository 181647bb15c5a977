#pragma once

#include <map>
#include <span>
#include <vector>

#include "libs/base/clock.h"
#include "libs/base/geo.h"
#include "libs/base/id.h"
#include "services/dispatch/domain/demand/demand_map.h"

namespace ridestream::dispatch {

/// Suggests to drivers who have nothing to do where to wait: where riders ask and cars are missing.
/// No more cars are sent to a cell than are missing there, and each driver is asked once in a
/// while. Not thread-safe.
class WaitingPlaces {
 public:
  /// A suggestion means nothing after this; until then its driver gets no other.
  static constexpr Duration kLasts = std::chrono::minutes(10);
  /// Largest straight-line distance to which a driver is sent.
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

  /// For the shortages in their order, the nearest cars that aren't where cars are missing
  /// themselves. Equally near ones go by their order.
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
