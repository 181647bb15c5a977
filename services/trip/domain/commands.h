#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "libs/base/clock.h"
#include "libs/base/geo.h"
#include "libs/base/id.h"
#include "ridestream/trip/v1/trip.pb.h"

namespace ridestream::trip {

/// Trips and events on their way to several readers are shared, not copied.
using TripPtr = std::shared_ptr<const v1::Trip>;
using EventPtr = std::shared_ptr<const v1::TripEvent>;

/// A price kept for a rider: `trip` is the trip it would become, in state UNSPECIFIED, with market,
/// passenger (rider and party size), pick-up, drop-off, fare, and the promise without its times if
/// the rider shares.
struct Quote {
  QuoteId id;
  Time expires_at;
  v1::Trip trip;
};

// What may be done to trips, one struct a command; all fields valid as the proto defines them.
// A command with a term is carried out only while that is the term of the market's lease; nothing
// where the caller needs no lease.

using LeaseTerm = std::optional<std::uint64_t>;

struct RequestCommand {
  TripId trip_id;  ///< Of the trip to be made.
  RiderId rider;
  std::string request_id;
  QuoteId quote_id;
  std::string rider_name;
  std::string note;
  /// For logs: goes along with the trip.
  std::string x_request_id = {};
  /// For traces: goes along with the trip.
  std::string traceparent = {};
  /// The one market in which the rider may act; empty: any.
  MarketId caller_market = {};
};

struct CancelCommand {
  TripId trip_id;
  /// Empty when a service cancels.
  RiderId rider;
  v1::CancelReason reason = v1::CANCEL_REASON_UNSPECIFIED;
  std::string comment;
  std::string request_id;
  /// The service's id, when a service cancels.
  std::string service = {};
  LeaseTerm term = std::nullopt;
  /// The one market in which the caller may act; empty: any.
  MarketId caller_market = {};
};

struct ChangeDestinationCommand {
  TripId trip_id;
  RiderId rider;
  std::string request_id;
  LatLng dropoff;
  v1::Fare fare;  ///< From the trip's pick-up to `dropoff`, by the trip's tariff.
};

struct AssignCommand {
  TripId trip_id;
  OfferId offer_id;
  common::v1::Driver driver;
  std::uint32_t seats = 0;
  /// The driver who has the trip and shall lose it to `driver`; empty for a trip that waits.
  DriverId from = {};
  LeaseTerm term = std::nullopt;
};

struct AdvanceCommand {
  TripId trip_id;
  DriverId driver_id;
  v1::TripState to = v1::TRIP_STATE_UNSPECIFIED;
  v1::StepPlausibility plausibility = v1::STEP_PLAUSIBILITY_UNSPECIFIED;
  std::uint32_t distance_m = 0;
  LeaseTerm term = std::nullopt;
};

struct ReleaseCommand {
  TripId trip_id;
  DriverId driver_id;
  v1::ReleaseReason reason = v1::RELEASE_REASON_UNSPECIFIED;
  std::string note = {};
  LeaseTerm term = std::nullopt;
};

struct GiveUpCommand {
  TripId trip_id;
  LeaseTerm term = std::nullopt;
};

struct DriverLostCommand {
  TripId trip_id;
  DriverId driver_id;
  bool lost = true;  ///< False: it was heard again.
  LeaseTerm term = std::nullopt;
};

using Command = std::variant<RequestCommand, CancelCommand, ChangeDestinationCommand, AssignCommand,
                             AdvanceCommand, ReleaseCommand, GiveUpCommand, DriverLostCommand>;

/// The term in which a command was sent, if it is bound to one.
inline LeaseTerm TermOf(const Command& command) {
  return std::visit(
      [](const auto& one) -> LeaseTerm {
        if constexpr (requires { one.term; }) return one.term;
        return std::nullopt;
      },
      command);
}

}  // namespace ridestream::trip
