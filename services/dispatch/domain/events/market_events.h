#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/base/clock.h"
#include "libs/base/geo.h"
#include "libs/base/id.h"
#include "ridestream/dispatch/v1/dispatch.pb.h"
#include "ridestream/location/v1/location.pb.h"
#include "ridestream/trip/v1/trip.pb.h"
#include "services/dispatch/matching/candidate.h"
#include "services/dispatch/matching/insertion.h"

/// A market's events and decisions, as plain values: the adapters turn RPCs and timers into events
/// and decisions into RPCs; the simulation does the same without a network.
namespace ridestream::dispatch {

// Events.

/// A stream of this driver sent a valid Hello and waits for its Welcome.
struct DriverConnected {
  DriverId driver;
  std::uint64_t epoch = 0;
  /// The session's pushes continue; otherwise the Welcome's snapshot is all that the driver knows.
  bool resumed = false;
  v1::Hello hello;
};
/// The stream of that epoch ended. The driver may be back in a moment.
struct DriverDisconnected {
  DriverId driver;
  std::uint64_t epoch = 0;
};
/// No message arrived from the driver for longer than the grace.
struct DriverSuspect {
  DriverId driver;
};
/// A suspect driver sent a message again, on its present stream.
struct DriverHeard {
  DriverId driver;
};
/// The session was dropped after a long absence: its unacked pushes are void.
struct SessionDropped {
  DriverId driver;
};
/// A valid position. Only of drivers whose positions the market wants (SetAvailability).
struct DriverMoved {
  DriverId driver;
  LatLng position;
};
struct OfferAnswered {
  DriverId driver;
  v1::OfferAnswer answer;
};
struct StopUpdated {
  DriverId driver;
  v1::StopUpdate update;
};
struct TripGivenUp {
  DriverId driver;
  v1::GiveUp give_up;
};
/// The driver wants to stop working.
struct ShiftEnded {
  DriverId driver;
  std::uint64_t epoch = 0;
};
/// An entry of trip's log; repeats and old ones do no harm.
struct TripLogged {
  trip::v1::TripEvent event;
};
/// Everything that was in the log when following (again) started has been reported.
struct LogCaughtUp {};

/// The answer to FindCandidates; failed as a whole when location couldn't be queried.
struct CandidatesFound {
  struct ForTrip {
    TripId trip;
    std::vector<Candidate> candidates;
    /// The cheapest insertions, for a rider who shares.
    std::vector<InsertionFound> insertions = {};
  };
  /// The trip that takes the capacity that another one frees.
  struct FreedCapacity {
    TripId trip;
    /// Into the plan as it is without the other.
    InsertionFound into;
  };
  /// The answer to a FindCandidates::Move, or a move of another trip that frees capacity for one.
  struct ForMove {
    TripId trip;
    /// What its present plan would cost less without it, as Insertion::cost counts; and what the
    /// freed capacity saves for the trip that takes it.
    Duration spared{};
    std::vector<InsertionFound> insertions;
    std::optional<FreedCapacity> freed = std::nullopt;
  };
  std::uint64_t round = 0;
  absl::StatusOr<std::vector<ForTrip>> trips;
  std::vector<ForMove> moves = {};
};

/// The answer to FindRoute.
struct RouteFound {
  struct Way {
    common::v1::Route route;
    /// Travel time from the start of the route to each stop, in their order.
    std::vector<Duration> to_stop;
  };
  DriverId driver;
  std::uint64_t request = 0;
  absl::StatusOr<Way> way;
};

/// The answer to a TripCommand: the trip as it is after it.
struct CommandDone {
  std::uint64_t command = 0;
  absl::StatusOr<trip::v1::Trip> trip;
};

/// Where the drivers are who are connected, also those whose positions the market didn't ask for.
/// Told every some seconds.
struct FleetSurveyed {
  struct At {
    DriverId driver;
    LatLng position;
  };
  std::vector<At> drivers;
};

/// The time that NextWake named has come.
struct Wake {};

using Event =
    std::variant<DriverConnected, DriverDisconnected, DriverSuspect, DriverHeard, SessionDropped,
                 DriverMoved, OfferAnswered, StopUpdated, TripGivenUp, ShiftEnded, TripLogged,
                 LogCaughtUp, CandidatesFound, RouteFound, CommandDone, FleetSurveyed, Wake>;

// Decisions.

/// Answer the driver's Hello, if that epoch is still its newest.
struct SendWelcome {
  DriverId driver;
  std::uint64_t epoch = 0;
  v1::Snapshot snapshot;
};
/// Put this into the driver's queue (its sequence is given there).
struct Push {
  DriverId driver;
  v1::DriveResponse message;
};
/// End the driver's session, if that epoch is still its newest: the driver has nothing to do and
/// goes home. SessionDropped answers it.
struct EndSession {
  DriverId driver;
  std::uint64_t epoch = 0;
};
/// The driver's state for location from now on, and whether the market wants its positions.
struct SetAvailability {
  DriverId driver;
  location::v1::DriverState state = location::v1::DRIVER_STATE_UNSPECIFIED;
  std::uint32_t free_seats = 0;
  bool wants_positions = false;
};
/// A rider who shares: where to, and when at the latest the car may be where.
struct SharedRide {
  LatLng pickup;
  LatLng dropoff;
  std::uint32_t party_size = 1;
  Time latest_pickup;
  Time latest_dropoff;
};

/// A car with riders who share, into whose plan others may be put.
struct SharedCar {
  DriverId driver;
  std::uint64_t plan_revision = 0;
  LatLng position;
  /// The place of each stop.
  std::vector<LatLng> places;
  std::vector<TripId> trips;
  /// The answer fills in the car's place indexes.
  RunningCar car;
};

/// Ask location for idle drivers near these pick-ups, and the streets for their travel times; and
/// look for the best plans under way into which riders who share could be put.
struct FindCandidates {
  struct Query {
    TripId trip;
    LatLng pickup;
    std::uint32_t party_size = 1;
    std::uint32_t radius_m = 0;
    std::optional<SharedRide> shared = std::nullopt;
    /// What it costs to leave a rider who shares waiting, as Insertion::cost counts; 0 if no trip
    /// shall be moved to free capacity.
    Duration price{};
  };
  /// A trip that has a driver who hasn't come yet, and might be better off with another.
  struct Move {
    TripId trip;
    DriverId from;
    SharedRide ride;
  };
  std::uint64_t round = 0;
  std::vector<Query> queries;
  std::vector<SharedCar> cars = {};
  std::vector<Move> moves = {};
  Time asked_at{};
  /// Times for getting in and out of a car.
  Duration pickup_dwell{};
  Duration dropoff_dwell{};
  /// Cost of a second of driving, relative to a second of delay at a drop-off.
  double driving = 1;
};
/// Find the fastest way from the car through the stops, in their order.
struct FindRoute {
  DriverId driver;
  std::uint64_t request = 0;
  LatLng from;
  std::vector<LatLng> stops;
  /// The last positions of a car that left its route, oldest first, `from` last: they tell the
  /// right street and direction.
  std::vector<LatLng> track = {};
};
/// Tell trip. Sent again by the market after a failure that leaves the outcome open.
struct TripCommand {
  std::uint64_t command = 0;
  std::variant<trip::v1::AssignTripRequest, trip::v1::AdvanceTripRequest,
               trip::v1::ReleaseTripRequest, trip::v1::GiveUpTripRequest,
               trip::v1::ReportDriverLostRequest, trip::v1::CancelTripRequest>
      request;
};
/// The market's judgement of a step that a driver reported, once for each step.
struct StepJudged {
  DriverId driver;
  TripId trip;
  trip::v1::TripState to = trip::v1::TRIP_STATE_UNSPECIFIED;
  trip::v1::StepPlausibility plausibility = trip::v1::STEP_PLAUSIBILITY_UNSPECIFIED;
  /// As in trip::v1::ImplausibleStep.
  std::uint32_t distance_m = 0;
  bool refused = false;
};
/// For the rider's eyes; never stored.
struct ReportProgress {
  trip::v1::TripProgress progress;
};

/// A car drove through these points of its route. For the travel times of the streets.
struct StreetsDriven {
  struct Point {
    LatLng place;
    /// Time since any beginning.
    Duration at;
  };
  std::vector<Point> points;
};
/// Tell trip by how much rides cost more where more want to ride than cars are there: by S2 cell,
/// in percent, above 100.
struct SetSurge {
  std::map<std::uint64_t, std::uint32_t> cells;
};

using Decision =
    std::variant<SendWelcome, Push, EndSession, SetAvailability, FindCandidates, FindRoute,
                 TripCommand, StepJudged, ReportProgress, StreetsDriven, SetSurge>;

}  // namespace ridestream::dispatch
