#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "libs/base/clock.h"
#include "libs/base/geo.h"
#include "libs/base/id.h"
#include "libs/roads/engine/router.h"
#include "services/dispatch/domain/events/market_events.h"
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
    /// Longest travel time of a candidate to the pick-up.
    Duration max_pickup_time = std::chrono::minutes(10);
    /// Cars that are named to a rider who shares, at most.
    std::size_t insertions = 8;
    /// Limit of riders without a driver for whom the search tries to free capacity by moving
    /// others.
    std::size_t stranded = 8;
    /// A round looks for every n-th of the trips that may be moved, the next round for others.
    std::size_t room_for_every = 4;
    /// Limit of riders whose removal is evaluated exactly, the most promising first.
    std::size_t ejections = 8;
  };

  /// `router` must outlive it.
  RoundSearch(const roads::Router& router, const Config& config);

  /// A new round: `nearby` has the drivers for each query, in their order. What was found of an
  /// earlier round is dropped.
  void Begin(FindCandidates question, std::vector<std::vector<NearbyDriver>> nearby);
  /// Does a piece of work, some tens of microseconds. False when all is found.
  bool Step();
  /// The result. Call once, after the last step.
  CandidatesFound Take();

 private:
  enum class Stage { kTravelTimes, kInsertions, kMoves, kRooms, kDone };
  /// Which queries a free driver was named to: as (query, index in that query's list).
  using NamedTo = std::vector<std::pair<std::size_t, std::size_t>>;

  /// A rider in a car's plan.
  struct Passenger {
    std::size_t car = 0;
    TripId trip;
    SharedRide ride;
    std::array<std::size_t, 2> stops{};
  };

  void FindTimesOfQuery(std::size_t query);
  void FindTimesOfDriver(std::size_t driver);
  void FindInsertionsFor(std::size_t query);
  void FindMove(std::size_t move);
  /// Looks for the rider of a car whose moving to another lets this one in, at the greatest gain
  /// for all: an ejection chain (Glover, "Ejection chains, reference structures and alternating
  /// path methods for traveling salesman problems", 1996) of one link. `present` is the car that
  /// has the trip, if one has, and `price` what it costs now.
  void FindRoom(const TripId& trip, const SharedRide& ride, const DriverId& present,
                Duration price);
  void PlaceCars();
  InsertedRider MakeRider(const SharedRide& ride);
  std::vector<InsertionFound> FindInsertionsOf(const SharedRide& ride, const DriverId& except);
  /// What the car's plan costs less without the trip.
  Duration SparedWithout(const SharedCar& car, const TripId& trip);
  /// The riders who aren't aboard, and whom the car isn't about to reach.
  std::vector<Passenger> Movable(std::size_t car) const;

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
  /// Queries of riders who share and have no candidate.
  std::vector<std::size_t> stranded_;
  CandidatesFound found_;
  Stage stage_ = Stage::kDone;
  std::size_t next_ = 0;
};

}  // namespace ridestream::dispatch
