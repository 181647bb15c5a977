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
  /// Whether the session's pushes continue. Otherwise the driver knows only the Welcome's snapshot.
  bool resumed = false;
  v1::Hello hello;
};
/// The stream of that epoch ended. The driver may reconnect shortly.
struct DriverDisconnected {
  DriverId driver;
  std::uint64_t epoch = 0;
};
/// No message arrived from the driver for longer than the grace.
struct DriverSuspect {
  DriverId driver;
};
/// A suspect driver sent a message again, on its current stream.
struct DriverHeard {
  DriverId driver;
};
/// The session was dropped after a long absence: its unacked pushes are void.
struct SessionDropped {
  DriverId driver;
};
/// A valid position. Sent only for drivers whose positions the market has requested
/// (SetAvailability).
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
/// An entry of the trip log. Repeated and old entries are harmless.
struct TripLogged {
  trip::v1::TripEvent event;
};
/// All entries that were in the log when the market (re)started following it have been delivered.
struct LogCaughtUp {};

/// The answer to FindCandidates. It fails as a whole if location couldn't be queried.
struct CandidatesFound {
  struct ForTrip {
    TripId trip;
    std::vector<Candidate> candidates;
    /// The cheapest insertions, for a rider who shares.
    std::vector<InsertionFound> insertions = {};
  };
  /// A trip that takes the capacity freed by another one.
  struct FreedCapacity {
    TripId trip;
    /// Insertion into the plan without the other trip.
    InsertionFound into;
  };
  /// The answer to a FindCandidates::Move, or a move of another trip that frees capacity.
  struct ForMove {
    TripId trip;
    /// How much less the trip's current plan would cost without it, in terms of Insertion::cost,
    /// plus what the freed capacity saves for the trip that takes it.
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
    /// Travel time from the start of the route to each stop, in order.
    std::vector<Duration> to_stop;
  };
  DriverId driver;
  std::uint64_t request = 0;
  absl::StatusOr<Way> way;
};

/// The answer to a TripCommand, with the trip's record after it.
struct CommandDone {
  std::uint64_t command = 0;
  absl::StatusOr<trip::v1::Trip> trip;
};

/// Positions of all connected drivers, including those that the market didn't request. Sent every
/// few seconds.
struct FleetSurveyed {
  struct At {
    DriverId driver;
    LatLng position;
  };
  std::vector<At> drivers;
};

/// The time returned by NextWake has come.
struct Wake {};

using Event =
    std::variant<DriverConnected, DriverDisconnected, DriverSuspect, DriverHeard, SessionDropped,
                 DriverMoved, OfferAnswered, StopUpdated, TripGivenUp, ShiftEnded, TripLogged,
                 LogCaughtUp, CandidatesFound, RouteFound, CommandDone, FleetSurveyed, Wake>;

// Decisions.

/// Answer the driver's Hello, if the epoch is still the driver's newest.
struct SendWelcome {
  DriverId driver;
  std::uint64_t epoch = 0;
  v1::Snapshot snapshot;
};
/// Append this message to the driver's queue, which assigns its sequence number.
struct Push {
  DriverId driver;
  v1::DriveResponse message;
};
/// End the session of a driver who has nothing to do and ends the shift, if the epoch is still the
/// driver's newest. SessionDropped follows.
struct EndSession {
  DriverId driver;
  std::uint64_t epoch = 0;
};
/// The driver's state to report to location from now on, and whether the market needs the driver's
/// positions.
struct SetAvailability {
  DriverId driver;
  location::v1::DriverState state = location::v1::DRIVER_STATE_UNSPECIFIED;
  std::uint32_t free_seats = 0;
  bool wants_positions = false;
};
/// A rider who shares: the destination, and the latest times at pick-up and drop-off.
struct SharedRide {
  LatLng pickup;
  LatLng dropoff;
  std::uint32_t party_size = 1;
  Time latest_pickup;
  Time latest_dropoff;
};

/// A car with riders who share, into whose plan others may be inserted.
struct SharedCar {
  DriverId driver;
  std::uint64_t plan_revision = 0;
  LatLng position;
  /// The place of each stop.
  std::vector<LatLng> places;
  std::vector<TripId> trips;
  /// The search fills in the place indexes.
  RunningCar car;
};

/// Query location for idle drivers near these pick-ups, and the street map for their travel times,
/// and find the best plans in progress into which riders who share could be inserted.
struct FindCandidates {
  struct Query {
    TripId trip;
    LatLng pickup;
    std::uint32_t party_size = 1;
    std::uint32_t radius_m = 0;
    std::optional<SharedRide> shared = std::nullopt;
    /// Cost of leaving a rider who shares waiting, in terms of Insertion::cost; 0 if no trip may be
    /// moved to free capacity.
    Duration price{};
  };
  /// A trip whose driver hasn't arrived yet and that might be better served by another one.
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
/// Find the fastest route from the car through the stops, in order.
struct FindRoute {
  DriverId driver;
  std::uint64_t request = 0;
  LatLng from;
  std::vector<LatLng> stops;
  /// The last positions of a car that left its route, oldest first, ending with `from`. They show
  /// its street and direction.
  std::vector<LatLng> track = {};
};
/// Send a command to the trip service. The market sends it again after a failure that leaves its
/// outcome unknown.
struct TripCommand {
  std::uint64_t command = 0;
  std::variant<trip::v1::AssignTripRequest, trip::v1::AdvanceTripRequest,
               trip::v1::ReleaseTripRequest, trip::v1::GiveUpTripRequest,
               trip::v1::ReportDriverLostRequest, trip::v1::CancelTripRequest>
      request;
};
/// The market's verdict on a step that a driver reported, once for each step.
struct StepJudged {
  DriverId driver;
  TripId trip;
  trip::v1::TripState to = trip::v1::TRIP_STATE_UNSPECIFIED;
  trip::v1::StepPlausibility plausibility = trip::v1::STEP_PLAUSIBILITY_UNSPECIFIED;
  /// As in trip::v1::ImplausibleStep.
  std::uint32_t distance_m = 0;
  bool refused = false;
};
/// Progress shown to the rider. Never stored.
struct ReportProgress {
  trip::v1::TripProgress progress;
};

/// A car drove through these points of its route. Used to learn the streets' travel times.
struct StreetsDriven {
  struct Point {
    LatLng place;
    /// Time since an arbitrary origin.
    Duration at;
  };
  std::vector<Point> points;
};
/// Report the surge to the trip service, by S2 cell in percent, only values above 100.
struct SetSurge {
  std::map<std::uint64_t, std::uint32_t> cells;
};

using Decision =
    std::variant<SendWelcome, Push, EndSession, SetAvailability, FindCandidates, FindRoute,
                 TripCommand, StepJudged, ReportProgress, StreetsDriven, SetSurge>;

}  // namespace ridestream::dispatch
