#pragma once

#include <cstddef>
#include <vector>

#include "libs/base/clock.h"
#include "libs/base/geo.h"
#include "libs/base/id.h"
#include "libs/roads/router.h"
#include "services/dispatch/domain/market_events.h"
#include "services/dispatch/streets/place_table.h"

namespace ridestream::dispatch {

/// A free driver whom location named.
struct NearbyDriver {
  DriverId id;
  LatLng position;
};

/// Answers a matching round from the streets: exact travel times of the free drivers that location
/// named, and insertions into plans under way. Works in small pieces, so that its thread can do
/// what is more urgent in between. Not thread-safe.
class RoundSearch {
 public:
  struct Config {
    /// Free drivers further than this from the pick-up are no candidates.
    Duration max_pickup_time = std::chrono::minutes(10);
    /// Cars that are named to a rider who shares, at most.
    std::size_t insertions = 8;
  };

  /// `router` must outlive it.
  RoundSearch(const roads::Router& router, const Config& config);

  /// A new round: `nearby` has the drivers for each query, in their order. What was found of an
  /// earlier round is dropped.
  void Begin(FindCandidates question, std::vector<std::vector<NearbyDriver>> nearby);
  /// Does a piece of work, some tens of microseconds. False when all is found.
  bool Step();
  /// What was found; once, after the last step.
  CandidatesFound Take();

 private:
  enum class Stage { kTravelTimes, kInsertions, kMoves, kDone };
  /// Which queries a free driver was named to: as (query, index in that query's list).
  using NamedTo = std::vector<std::pair<std::size_t, std::size_t>>;

  void FindTimesOfQuery(std::size_t query);
  void FindTimesOfDriver(std::size_t driver);
  void FindInsertionsFor(std::size_t query);
  void FindMove(std::size_t move);
  void PlaceCars();
  InsertedRider MakeRider(const SharedRide& ride);
  std::vector<InsertionFound> FindInsertionsOf(const SharedRide& ride, const DriverId& except);
  /// The driving that a car is spared without the trip.
  Duration SparedWithout(const SharedCar& car, const TripId& trip);

  const roads::Router& router_;
  const Config config_;
  PlaceTable places_;
  FindCandidates question_;
  std::vector<std::vector<NearbyDriver>> nearby_;
  // Each place is snapped once, in however many rows it is.
  std::vector<std::optional<roads::SnappedPoint>> pickups_;
  std::vector<std::optional<roads::SnappedPoint>> drivers_;
  std::vector<NamedTo> named_to_;
  /// For each of `nearby_`, its index in `drivers_`.
  std::vector<std::vector<std::size_t>> driver_of_;
  bool by_driver_ = false;
  /// By query and the driver's place in its list: milliseconds.
  std::vector<std::vector<std::uint32_t>> times_ms_;
  std::vector<RunningCar> cars_;
  CandidatesFound found_;
  Stage stage_ = Stage::kDone;
  std::size_t next_ = 0;
};

}  // namespace ridestream::dispatch
