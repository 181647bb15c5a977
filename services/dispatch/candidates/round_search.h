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

/// A free driver from location's answer.
struct NearbyDriver {
  DriverId id;
  LatLng position;
};

/// Computes a matching round's candidates on the street map: exact travel times of the free drivers
/// from location's answer, and insertions into plans in progress. Works in small steps, so that its
/// thread can handle urgent work in between. Not thread-safe.
class RoundSearch {
 public:
  struct Config {
    /// Longest travel time of a candidate to the pick-up.
    Duration max_pickup_time = std::chrono::minutes(10);
    /// Maximum number of cars proposed for a rider who shares.
    std::size_t insertions = 8;
    /// Maximum number of riders without a driver for whom the search tries to free capacity by
    /// moving other riders.
    std::size_t stranded = 8;
    /// A round evaluates every n-th trip that may be moved, and the next round others.
    std::size_t room_for_every = 4;
    /// Maximum number of riders whose removal is evaluated exactly, most promising first.
    std::size_t ejections = 8;
  };

  /// `router` must outlive this object.
  RoundSearch(const roads::Router& router, const Config& config);

  /// Starts a round. `nearby` has the free drivers for each query, in the order of the queries.
  /// Results of an earlier round are dropped.
  void Begin(FindCandidates question, std::vector<std::vector<NearbyDriver>> nearby);
  /// Does a step of some tens of microseconds. Returns false when the search is finished.
  bool Step();
  /// Returns the result. Call once, after the last step.
  CandidatesFound Take();

 private:
  enum class Stage { kTravelTimes, kInsertions, kMoves, kRooms, kDone };
  /// The queries for which location returned a driver, as (query, index in that query's list).
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
  /// Finds the rider of a car whose move to another car makes room for this one, with the greatest
  /// total gain: an ejection chain (Glover, "Ejection chains, reference structures and alternating
  /// path methods for traveling salesman problems", 1996) with one link. `present` is the trip's
  /// current car, if it has one, and `price` its current cost.
  void FindRoom(const TripId& trip, const SharedRide& ride, const DriverId& present,
                Duration price);
  void PlaceCars();
  InsertedRider MakeRider(const SharedRide& ride);
  std::vector<InsertionFound> FindInsertionsOf(const SharedRide& ride, const DriverId& except);
  /// How much less the car's plan costs without the trip.
  Duration SparedWithout(const SharedCar& car, const TripId& trip);
  /// Riders who aren't aboard and whom the car isn't about to reach.
  std::vector<Passenger> Movable(std::size_t car) const;

  const roads::Router& router_;
  const Config config_;
  PlaceTable places_;
  FindCandidates question_;
  std::vector<std::vector<NearbyDriver>> nearby_;
  // Each place is snapped once, even if it is in several rows.
  std::vector<std::optional<roads::SnappedPoint>> pickups_;
  std::vector<std::optional<roads::SnappedPoint>> drivers_;
  std::vector<NamedTo> named_to_;
  /// For each of `nearby_`, its index in `drivers_`.
  std::vector<std::vector<std::size_t>> driver_of_;
  bool by_driver_ = false;
  /// Milliseconds, indexed by query and the driver's index in the query's list.
  std::vector<std::vector<std::uint32_t>> times_ms_;
  std::vector<RunningCar> cars_;
  /// Queries of riders who share and have no candidate yet.
  std::vector<std::size_t> stranded_;
  CandidatesFound found_;
  Stage stage_ = Stage::kDone;
  std::size_t next_ = 0;
};

}  // namespace ridestream::dispatch
