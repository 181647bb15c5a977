#pragma once

#include <cstdint>
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

/// What a market is told, and what it decides. Plain values: the shell turns RPCs and timers into
/// events and decisions into RPCs; the simulation does the same without a network.
namespace ridestream::dispatch {

// -- Events
// ----------------------------------------------------------------------------------------

/// A stream of this driver said a good Hello; it waits for its Welcome.
struct DriverConnected {
  DriverId driver;
  std::uint64_t epoch = 0;
  /// Its pushes go on where they were; otherwise the Welcome's snapshot is all it knows.
  bool resumed = false;
  v1::Hello hello;
};
/// The stream of that epoch ended. The driver may be back in a moment.
struct DriverDisconnected {
  DriverId driver;
  std::uint64_t epoch = 0;
};
/// Nothing was heard of the driver for longer than the grace.
struct DriverSuspect {
  DriverId driver;
};
/// A suspect driver was heard again, on the stream it had.
struct DriverHeard {
  DriverId driver;
};
/// The session was dropped after a long absence: its unacked pushes are void.
struct SessionDropped {
  DriverId driver;
};
/// A good position. Told only of drivers for whom the market asked (SetAvailability).
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
/// An entry of trip's log; repeats and old ones do no harm.
struct TripLogged {
  trip::v1::TripEvent event;
};
/// All that was in the log when following (again) began has been told.
struct LogCaughtUp {};

struct Candidate {
  DriverId driver;
  LatLng position;
  /// To the pick-up, along the streets.
  Duration travel_time{};
};
/// The answer to FindCandidates; failed as a whole when location couldn't be asked.
struct CandidatesFound {
  struct ForTrip {
    TripId trip;
    std::vector<Candidate> candidates;
  };
  std::uint64_t round = 0;
  absl::StatusOr<std::vector<ForTrip>> trips;
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

/// The time that NextWake named has come.
struct Wake {};

using Event = std::variant<DriverConnected, DriverDisconnected, DriverSuspect, DriverHeard,
                           SessionDropped, DriverMoved, OfferAnswered, StopUpdated, TripGivenUp,
                           TripLogged, LogCaughtUp, CandidatesFound, RouteFound, CommandDone, Wake>;

// -- Decisions
// -------------------------------------------------------------------------------------

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
/// What location shall know of the driver from now on, and whether the market wants its positions.
struct SetAvailability {
  DriverId driver;
  location::v1::DriverState state = location::v1::DRIVER_STATE_UNSPECIFIED;
  std::uint32_t free_seats = 0;
  bool wants_positions = false;
};
/// Ask location for idle drivers near these pick-ups, and the streets for their travel times.
struct FindCandidates {
  struct Query {
    TripId trip;
    LatLng pickup;
    std::uint32_t party_size = 1;
    std::uint32_t radius_m = 0;
  };
  std::uint64_t round = 0;
  std::vector<Query> queries;
};
/// Find the fastest way from the car through the stops, in their order.
struct FindRoute {
  DriverId driver;
  std::uint64_t request = 0;
  LatLng from;
  std::vector<LatLng> stops;
};
/// Tell trip. Sent again by the market after a failure that leaves the outcome open.
struct TripCommand {
  std::uint64_t command = 0;
  std::variant<trip::v1::AssignTripRequest, trip::v1::AdvanceTripRequest,
               trip::v1::ReleaseTripRequest, trip::v1::GiveUpTripRequest>
      request;
};
/// For the rider's eyes; never stored.
struct ReportProgress {
  trip::v1::TripProgress progress;
};

using Decision = std::variant<SendWelcome, Push, SetAvailability, FindCandidates, FindRoute,
                              TripCommand, ReportProgress>;

}  // namespace ridestream::dispatch
