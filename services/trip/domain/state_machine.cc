#include "services/trip/domain/state_machine.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "libs/proto_values/proto_values.h"
#include "services/trip/domain/fare.h"
#include "services/trip/domain/names.h"
#include "services/trip/domain/promise.h"

namespace ridestream::trip {
namespace {

absl::Status WrongState(const v1::Trip& trip, const std::string& why) {
  return absl::FailedPreconditionError(
      fmt::format("trip {} is {}: {}", trip.trip_id(), StateName(trip.state()), why));
}

absl::Status CheckRider(const RiderId& rider, const v1::Trip& trip) {
  if (trip.passenger().rider_id() == rider.str()) return absl::OkStatus();
  return absl::PermissionDeniedError(fmt::format("trip {} is another rider's", trip.trip_id()));
}

bool WasReleasedFrom(const v1::Trip& trip, const std::string& driver_id) {
  const auto& released = trip.released_driver_ids();
  return std::find(released.begin(), released.end(), driver_id) != released.end();
}

/// The step after `state` on a driver's way, or UNSPECIFIED.
v1::TripState StepAfter(v1::TripState state) {
  switch (state) {
    case v1::TRIP_STATE_ASSIGNED:
      return v1::TRIP_STATE_ARRIVED;
    case v1::TRIP_STATE_ARRIVED:
      return v1::TRIP_STATE_ABOARD;
    case v1::TRIP_STATE_ABOARD:
      return v1::TRIP_STATE_COMPLETED;
    default:
      return v1::TRIP_STATE_UNSPECIFIED;
  }
}

/// Whether the trip's present driver has made this step.
bool StepWasMade(const v1::Trip& trip, v1::TripState step) {
  switch (step) {
    case v1::TRIP_STATE_ARRIVED:
      return trip.has_arrived_at();
    case v1::TRIP_STATE_ABOARD:
      return trip.has_aboard_at();
    case v1::TRIP_STATE_COMPLETED:
      return trip.state() == v1::TRIP_STATE_COMPLETED;
    default:
      return false;
  }
}

absl::Status CheckSeats(const v1::Trip& trip, const std::string& driver_id, std::uint32_t riders,
                        std::uint32_t seats) {
  if (riders + trip.passenger().party_size() <= seats) return absl::OkStatus();
  return WrongState(trip,
                    fmt::format("its {} riders don't fit into the car of driver {}, which has "
                                "{} seats of which {} are taken",
                                trip.passenger().party_size(), driver_id, seats, riders));
}

/// Whether the driver may have the trip beside those that it has.
absl::Status CheckCompany(const v1::Trip& trip, const std::string& driver_id,
                          const DriverLoad& load, std::uint32_t seats) {
  const bool mixed =
      trip.has_promise() ? load.sharing_riders < load.open_riders : load.sharing_riders > 0;
  if (mixed) {
    return WrongState(trip, fmt::format("its rider {}, and driver {} has riders who {}",
                                        trip.has_promise() ? "shares" : "doesn't share", driver_id,
                                        trip.has_promise() ? "don't" : "do"));
  }
  // Riders who share may be driven one after the other; who is aboard at the same time is looked at
  // when they get in.
  return CheckSeats(trip, driver_id, trip.has_promise() ? 0 : load.open_riders, seats);
}

/// Takes the trip from its driver, who won't get it again.
void ReleaseFromDriver(v1::Trip& trip, v1::ReleaseReason reason, const std::string& note) {
  trip.add_released_driver_ids(trip.driver().driver_id());
  v1::Release& release = *trip.mutable_last_release();
  release.set_driver_id(trip.driver().driver_id());
  release.set_reason(reason);
  release.set_note(note);
  trip.clear_driver();
  trip.clear_offer_id();
  trip.clear_assigned_at();
  trip.clear_arrived_at();
}

/// Ends the trip of a rider who didn't come to the pick-up.
void EndAsNoShow(const ReleaseCommand& command, Time now, v1::Trip& trip) {
  trip.set_state(v1::TRIP_STATE_CANCELLED);
  v1::Cancellation& cancellation = *trip.mutable_cancellation();
  cancellation.set_by_driver_id(command.driver_id.str());
  cancellation.set_reason(v1::CANCEL_REASON_NO_SHOW);
  cancellation.set_comment(command.note);
  *cancellation.mutable_fee() = NoShowFee(trip.fare().tariff(), now - FromProto(trip.arrived_at()));
  if (cancellation.fee().amount_minor() == 0) cancellation.clear_fee();
  *trip.mutable_ended_at() = ToProto(now);
}

/// Checks whether the caller may still cancel an open trip.
absl::Status CheckCancellable(const CancelCommand& command, const v1::Trip& trip) {
  if (!IsOpen(trip.state())) return WrongState(trip, "it can't be cancelled any more");
  const bool aboard = trip.state() == v1::TRIP_STATE_ABOARD;
  if (aboard && command.service.empty() && !trip.has_driver_lost_at()) {
    return WrongState(trip, "its rider can leave it only while its driver is lost");
  }
  if (command.reason == v1::CANCEL_REASON_DRIVER_LOST && !trip.has_driver_lost_at()) {
    return WrongState(trip, "its driver isn't lost, so that can't be the reason");
  }
  return absl::OkStatus();
}

/// That a trip which has a driver may be given from that one to another.
absl::Status CheckReassignment(const AssignCommand& command, const v1::Trip& trip) {
  if (trip.driver().driver_id() != command.from.str()) {
    return absl::AbortedError(
        fmt::format("trip {} is no longer driver {}'s", trip.trip_id(), command.from));
  }
  if (!trip.has_promise()) return WrongState(trip, "only a trip that is shared changes its driver");
  if (trip.state() != v1::TRIP_STATE_ASSIGNED) return WrongState(trip, "its driver has arrived");
  if (command.driver.driver_id() == command.from.str()) {
    return absl::InvalidArgumentError("from_driver_id: is the new driver's");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckCallerMarket(const MarketId& caller_market, const v1::Trip& trip) {
  if (caller_market.empty() || caller_market.str() == trip.market()) return absl::OkStatus();
  return absl::PermissionDeniedError(fmt::format(
      "this is of market {}, and the caller is bound to {}", trip.market(), caller_market));
}

absl::StatusOr<v1::Trip> BeginTrip(const RequestCommand& command, Quote quote, Time now) {
  if (now > quote.expires_at) {
    return absl::FailedPreconditionError(
        fmt::format("quote {} has expired; ask for another", quote.id));
  }
  v1::Trip trip = std::move(quote.trip);
  trip.set_trip_id(command.trip_id.str());
  trip.set_state(v1::TRIP_STATE_REQUESTED);
  trip.mutable_passenger()->set_name(command.rider_name);
  trip.mutable_passenger()->set_note(command.note);
  trip.set_x_request_id(command.x_request_id);
  trip.set_traceparent(command.traceparent);
  *trip.mutable_requested_at() = ToProto(now);
  if (trip.has_promise()) SetPromisedTimes(now, *trip.mutable_promise());
  return trip;
}

absl::StatusOr<Effect> Apply(const CancelCommand& command, Time now, v1::Trip& trip) {
  if (command.service.empty()) {
    if (absl::Status status = CheckRider(command.rider, trip); !status.ok()) return status;
  }
  absl::Status in_market = CheckCallerMarket(command.caller_market, trip);
  if (!in_market.ok()) return in_market;
  const v1::Cancellation& earlier = trip.cancellation();
  if (trip.state() == v1::TRIP_STATE_CANCELLED && earlier.by_rider_id() == command.rider.str() &&
      earlier.by_service_id() == command.service) {
    return Effect::kNone;
  }
  if (absl::Status status = CheckCancellable(command, trip); !status.ok()) return status;
  trip.set_state(v1::TRIP_STATE_CANCELLED);
  v1::Cancellation& cancellation = *trip.mutable_cancellation();
  cancellation.set_by_rider_id(command.rider.str());
  cancellation.set_by_service_id(command.service);
  cancellation.set_reason(command.reason);
  cancellation.set_comment(command.comment);
  *trip.mutable_ended_at() = ToProto(now);
  return Effect::kChanged;
}

absl::StatusOr<Effect> Apply(const ChangeDestinationCommand& command, Time, v1::Trip& trip) {
  if (absl::Status status = CheckRider(command.rider, trip); !status.ok()) return status;
  if (!IsOpen(trip.state())) return WrongState(trip, "its destination can't change any more");
  if (trip.has_promise()) {
    return WrongState(trip, "it is shared, so that its destination can't change");
  }
  *trip.mutable_dropoff() = ToProto(command.dropoff);
  *trip.mutable_fare() = command.fare;
  return Effect::kChanged;
}

absl::StatusOr<Effect> Apply(const AssignCommand& command, const DriverLoad& load, Time now,
                             v1::Trip& trip) {
  const std::string& driver_id = command.driver.driver_id();
  if (trip.offer_id() == command.offer_id.str() && trip.driver().driver_id() == driver_id) {
    return Effect::kNone;
  }
  if (WasReleasedFrom(trip, driver_id)) {
    return absl::AbortedError(fmt::format(
        "trip {} was driver {}'s and was released: the offer has ended, and there is no other",
        trip.trip_id(), driver_id));
  }
  if (!IsOpen(trip.state())) return WrongState(trip, "it waits for no driver");
  if (command.from.empty() && trip.state() != v1::TRIP_STATE_REQUESTED) {
    return absl::AbortedError(
        fmt::format("trip {} is already taken by another offer", trip.trip_id()));
  }
  if (!command.from.empty()) {
    if (absl::Status status = CheckReassignment(command, trip); !status.ok()) return status;
  }
  absl::Status fits = CheckCompany(trip, driver_id, load, command.seats);
  if (!fits.ok()) return fits;
  if (!command.from.empty()) ReleaseFromDriver(trip, v1::RELEASE_REASON_REASSIGNED, "");
  trip.set_state(v1::TRIP_STATE_ASSIGNED);
  *trip.mutable_driver() = command.driver;
  trip.set_offer_id(command.offer_id.str());
  *trip.mutable_assigned_at() = ToProto(now);
  return Effect::kChanged;
}

absl::StatusOr<Effect> Apply(const AdvanceCommand& command, const DriverLoad& load,
                             std::uint32_t seats, Time now, v1::Trip& trip) {
  if (trip.has_driver() && trip.driver().driver_id() != command.driver_id.str()) {
    return absl::PermissionDeniedError(fmt::format("trip {} is another driver's", trip.trip_id()));
  }
  if (!trip.has_driver()) return WrongState(trip, "it has no driver");
  if (StepWasMade(trip, command.to)) return Effect::kNone;
  const v1::TripState next = StepAfter(trip.state());
  if (next != command.to || next == v1::TRIP_STATE_UNSPECIFIED) {
    return WrongState(trip, fmt::format("it can't become {} now", StateName(command.to)));
  }
  switch (command.to) {
    case v1::TRIP_STATE_ARRIVED:
      *trip.mutable_arrived_at() = ToProto(now);
      break;
    case v1::TRIP_STATE_ABOARD: {
      absl::Status fits = CheckSeats(trip, command.driver_id.str(), load.aboard_riders, seats);
      if (!fits.ok()) return fits;
      *trip.mutable_aboard_at() = ToProto(now);
      break;
    }
    default:
      trip.clear_driver_lost_at();
      *trip.mutable_ended_at() = ToProto(now);
      break;
  }
  if (command.plausibility == v1::STEP_PLAUSIBILITY_FAR_FROM_STOP ||
      command.plausibility == v1::STEP_PLAUSIBILITY_TOO_SOON) {
    v1::ImplausibleStep& step = *trip.add_implausible_steps();
    step.set_driver_id(command.driver_id.str());
    step.set_to(command.to);
    step.set_plausibility(command.plausibility);
    step.set_distance_m(command.distance_m);
  }
  trip.set_state(command.to);
  return Effect::kChanged;
}

absl::StatusOr<Effect> Apply(const ReleaseCommand& command, Time now, v1::Trip& trip) {
  const bool is_drivers =
      IsOpen(trip.state()) && trip.driver().driver_id() == command.driver_id.str();
  if (!is_drivers) return Effect::kNone;
  if (trip.state() == v1::TRIP_STATE_ABOARD) {
    return WrongState(trip, "the rider is in the car, so its driver keeps it");
  }
  if (command.reason == v1::RELEASE_REASON_NO_SHOW) {
    if (trip.state() != v1::TRIP_STATE_ARRIVED) {
      return WrongState(trip, "its driver hasn't arrived, so the rider can't be a no-show");
    }
    EndAsNoShow(command, now, trip);
    return Effect::kChanged;
  }
  trip.set_state(v1::TRIP_STATE_REQUESTED);
  ReleaseFromDriver(trip, command.reason, command.note);
  return Effect::kChanged;
}

absl::StatusOr<Effect> Apply(const GiveUpCommand&, Time now, v1::Trip& trip) {
  if (trip.state() == v1::TRIP_STATE_UNSERVED) return Effect::kNone;
  if (trip.state() != v1::TRIP_STATE_REQUESTED) {
    return WrongState(trip, "only a trip that waits for a driver can be given up");
  }
  trip.set_state(v1::TRIP_STATE_UNSERVED);
  *trip.mutable_ended_at() = ToProto(now);
  return Effect::kChanged;
}

absl::StatusOr<Effect> Apply(const DriverLostCommand& command, Time now, v1::Trip& trip) {
  if (trip.has_driver() && trip.driver().driver_id() != command.driver_id.str()) {
    return absl::PermissionDeniedError(fmt::format("trip {} is another driver's", trip.trip_id()));
  }
  if (trip.state() != v1::TRIP_STATE_ABOARD) {
    return WrongState(trip, "only a driver with the rider aboard is lost to the trip");
  }
  if (trip.has_driver_lost_at() == command.lost) return Effect::kNone;
  if (command.lost) {
    *trip.mutable_driver_lost_at() = ToProto(now);
  } else {
    trip.clear_driver_lost_at();
  }
  return Effect::kChanged;
}

}  // namespace ridestream::trip
