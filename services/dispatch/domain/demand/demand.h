#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "libs/base/clock.h"
#include "libs/base/geo.h"
#include "services/dispatch/domain/demand/demand_map.h"
#include "services/dispatch/domain/demand/waiting_places.h"
#include "services/dispatch/domain/events/step.h"

namespace ridestream::dispatch {

/// Tracks where riders request trips and where cars are free. Decides on the surge, which is
/// reported to the trip service, and on places to wait, which are sent to free drivers. Not
/// thread-safe.
class Demand {
 public:
  explicit Demand(const DemandConfig& config) : map_(config) {}

  /// A rider requested a trip from there.
  void Requested(LatLng pickup, Time requested_at, Time now) {
    map_.Requested(pickup, requested_at, now);
  }
  /// Takes the places of waiting riders and free cars.
  void Survey(const std::vector<LatLng>& waiting, std::span<const WaitingPlaces::FreeCar> free_cars,
              Step& step);

 private:
  void ReportSurge(Step& step);
  void SuggestWaitingPlaces(std::span<const WaitingPlaces::FreeCar> free_cars, Step& step);

  DemandMap map_;
  WaitingPlaces waiting_places_;
  std::map<std::uint64_t, std::uint32_t> surge_sent_;
  Time surge_sent_at_{};
};

}  // namespace ridestream::dispatch
