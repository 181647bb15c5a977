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

/// Follows where riders ask and cars are free, and decides what to do about it: surge, which trip
/// is told, and places to wait, which free drivers are told. Not thread-safe.
class Demand {
 public:
  explicit Demand(const DemandConfig& config) : map_(config) {}

  /// A rider requested a trip there.
  void Requested(LatLng pickup, Time requested_at, Time now) {
    map_.Requested(pickup, requested_at, now);
  }
  /// Takes in where riders wait, and where free cars are.
  void Survey(const std::vector<LatLng>& waiting, std::span<const WaitingPlaces::FreeCar> free_cars,
              Step& step);

 private:
  void TellSurge(Step& step);
  void SuggestWaitingPlaces(std::span<const WaitingPlaces::FreeCar> free_cars, Step& step);

  DemandMap map_;
  WaitingPlaces waiting_places_;
  std::map<std::uint64_t, std::uint32_t> surge_told_;
  Time surge_told_at_{};
};

}  // namespace ridestream::dispatch
