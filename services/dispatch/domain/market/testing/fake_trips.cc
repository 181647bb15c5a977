#include "services/dispatch/domain/market/testing/fake_trips.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "libs/proto_values/proto_values.h"
#include "services/dispatch/domain/trips/trip_book.h"

namespace ridestream::dispatch {
namespace {

absl::Status Forbidden(const trip::v1::Trip& trip) {
  return absl::FailedPreconditionError(
      fmt::format("trip {} is {}", trip.trip_id(), trip::v1::TripState_Name(trip.state())));
}

bool IsReleased(const trip::v1::Trip& trip, const std::string& driver) {
  const auto& released = trip.released_driver_ids();
  return std::find(released.begin(), released.end(), driver) != released.end();
}

}  // namespace

const trip::v1::Trip& FakeTrips::Request(const std::string& id, LatLng pickup, LatLng dropoff,
                                         Time now, std::uint32_t party_size) {
  return Commit(Make(id, pickup, dropoff, now, party_size), trip::v1::TRIP_STATE_REQUESTED);
}

const trip::v1::Trip& FakeTrips::RequestShared(const std::string& id, LatLng pickup, LatLng dropoff,
                                               Time now, std::uint32_t party_size,
                                               Duration pickup_within, Duration dropoff_within) {
  trip::v1::Trip trip = Make(id, pickup, dropoff, now, party_size);
  *trip.mutable_promise()->mutable_latest_pickup_at() = ToProto(now + pickup_within);
  *trip.mutable_promise()->mutable_latest_dropoff_at() = ToProto(now + dropoff_within);
  return Commit(std::move(trip), trip::v1::TRIP_STATE_REQUESTED);
}

trip::v1::Trip FakeTrips::Make(const std::string& id, LatLng pickup, LatLng dropoff, Time now,
                               std::uint32_t party_size) const {
  trip::v1::Trip trip;
  trip.set_trip_id(id);
  trip.set_market(market_);
  trip.mutable_passenger()->set_rider_id("rider-of-" + id);
  trip.mutable_passenger()->set_name("Rider " + id);
  trip.mutable_passenger()->set_party_size(party_size);
  *trip.mutable_pickup() = ToProto(pickup);
  *trip.mutable_dropoff() = ToProto(dropoff);
  trip.mutable_fare()->mutable_total()->set_currency_code("USD");
  trip.mutable_fare()->mutable_total()->set_amount_minor(1'250);
  trip.mutable_fare()->set_length_m(2'400);
  trip.mutable_fare()->mutable_duration()->set_seconds(240);
  *trip.mutable_requested_at() = ToProto(now);
  return trip;
}

absl::StatusOr<trip::v1::Trip> FakeTrips::Cancel(const std::string& id) {
  const trip::v1::Trip& trip = trips_.at(id);
  const bool stays = trip.state() == trip::v1::TRIP_STATE_ABOARD && !trip.has_driver_lost_at();
  if (stays || IsEnded(trip.state())) return Forbidden(trip);
  return Commit(trip, trip::v1::TRIP_STATE_CANCELLED);
}

absl::StatusOr<trip::v1::Trip> FakeTrips::ChangeDestination(const std::string& id, LatLng dropoff) {
  trip::v1::Trip trip = trips_.at(id);
  if (IsEnded(trip.state()) || trip.has_promise()) return Forbidden(trip);
  *trip.mutable_dropoff() = ToProto(dropoff);
  const auto state = trip.state();
  return Commit(std::move(trip), state);
}

absl::StatusOr<trip::v1::Trip> FakeTrips::Do(const TripRequest& request) {
  if (!trips_.contains(TripOf(request).str())) {
    return absl::NotFoundError(fmt::format("trip {} is not known", TripOf(request)));
  }
  return std::visit([this](const auto& r) { return Carry(r); }, request);
}

absl::StatusOr<trip::v1::Trip> FakeTrips::Carry(const trip::v1::AssignTripRequest& request) {
  trip::v1::Trip trip = trips_.at(request.trip_id());
  if (!trip.offer_id().empty() && trip.offer_id() == request.offer_id()) return trip;
  if (IsEnded(trip.state())) return Forbidden(trip);
  const bool waits = trip.state() == trip::v1::TRIP_STATE_REQUESTED;
  const bool as_asked = request.from_driver_id().empty()
                            ? waits
                            : !waits && request.from_driver_id() == trip.driver().driver_id();
  if (!as_asked || IsReleased(trip, request.driver().driver_id())) {
    return absl::AbortedError(fmt::format("trip {} is another driver's", trip.trip_id()));
  }
  if (!waits && (trip.state() != trip::v1::TRIP_STATE_ASSIGNED || !trip.has_promise())) {
    return Forbidden(trip);
  }
  for (const auto& [id, other] : trips_) {
    const bool both_share = other.has_promise() && trip.has_promise();
    if (other.driver().driver_id() == request.driver().driver_id() && !IsEnded(other.state()) &&
        !both_share) {
      return absl::FailedPreconditionError(fmt::format("the driver has trip {}", id));
    }
  }
  if (!waits) trip.add_released_driver_ids(trip.driver().driver_id());
  *trip.mutable_driver() = request.driver();
  trip.set_offer_id(request.offer_id());
  return Commit(std::move(trip), trip::v1::TRIP_STATE_ASSIGNED);
}

absl::StatusOr<trip::v1::Trip> FakeTrips::Carry(const trip::v1::AdvanceTripRequest& request) {
  const trip::v1::Trip& trip = trips_.at(request.trip_id());
  if (trip.driver().driver_id() != request.driver_id()) {
    return absl::PermissionDeniedError(fmt::format("trip {} is another's", trip.trip_id()));
  }
  if (trip.state() == trip::v1::TRIP_STATE_CANCELLED) return Forbidden(trip);
  if (trip.state() >= request.to()) return trip;
  if (trip.state() + 1 != request.to()) return Forbidden(trip);
  return Commit(trip, request.to());
}

absl::StatusOr<trip::v1::Trip> FakeTrips::Carry(const trip::v1::ReleaseTripRequest& request) {
  trip::v1::Trip trip = trips_.at(request.trip_id());
  if (trip.driver().driver_id() != request.driver_id()) {
    if (IsReleased(trip, request.driver_id())) return trip;
    return absl::PermissionDeniedError(fmt::format("trip {} is another's", trip.trip_id()));
  }
  if (trip.state() == trip::v1::TRIP_STATE_ABOARD || IsEnded(trip.state())) return Forbidden(trip);
  if (request.reason() == trip::v1::RELEASE_REASON_NO_SHOW) {
    if (trip.state() != trip::v1::TRIP_STATE_ARRIVED) return Forbidden(trip);
    trip.mutable_cancellation()->set_by_driver_id(request.driver_id());
    trip.mutable_cancellation()->set_reason(trip::v1::CANCEL_REASON_NO_SHOW);
    trip.mutable_cancellation()->set_comment(request.note());
    return Commit(std::move(trip), trip::v1::TRIP_STATE_CANCELLED);
  }
  trip.mutable_last_release()->set_driver_id(request.driver_id());
  trip.mutable_last_release()->set_reason(request.reason());
  trip.mutable_last_release()->set_note(request.note());
  trip.add_released_driver_ids(request.driver_id());
  trip.clear_driver();
  trip.clear_offer_id();
  return Commit(std::move(trip), trip::v1::TRIP_STATE_REQUESTED);
}

absl::StatusOr<trip::v1::Trip> FakeTrips::Carry(const trip::v1::GiveUpTripRequest& request) {
  const trip::v1::Trip& trip = trips_.at(request.trip_id());
  if (trip.state() == trip::v1::TRIP_STATE_UNSERVED) return trip;
  if (trip.state() != trip::v1::TRIP_STATE_REQUESTED) return Forbidden(trip);
  return Commit(trip, trip::v1::TRIP_STATE_UNSERVED);
}

absl::StatusOr<trip::v1::Trip> FakeTrips::Carry(const trip::v1::ReportDriverLostRequest& request) {
  trip::v1::Trip trip = trips_.at(request.trip_id());
  if (trip.driver().driver_id() != request.driver_id()) {
    return absl::PermissionDeniedError(fmt::format("trip {} is another's", trip.trip_id()));
  }
  if (trip.state() != trip::v1::TRIP_STATE_ABOARD) return Forbidden(trip);
  if (trip.has_driver_lost_at() == request.lost()) return trip;
  if (request.lost()) {
    trip.mutable_driver_lost_at()->set_seconds(1);
  } else {
    trip.clear_driver_lost_at();
  }
  return Commit(std::move(trip), trip::v1::TRIP_STATE_ABOARD);
}

absl::StatusOr<trip::v1::Trip> FakeTrips::Carry(const trip::v1::CancelTripRequest& request) {
  trip::v1::Trip trip = trips_.at(request.trip_id());
  if (IsEnded(trip.state())) return Forbidden(trip);
  trip.mutable_cancellation()->set_by_service_id("dispatch");
  trip.mutable_cancellation()->set_reason(request.reason());
  return Commit(std::move(trip), trip::v1::TRIP_STATE_CANCELLED);
}

const trip::v1::Trip& FakeTrips::Commit(trip::v1::Trip trip, trip::v1::TripState state) {
  trip::v1::TripEvent& event = log_.emplace_back();
  event.set_sequence(log_.size());
  event.set_previous_state(trip.state());
  trip.set_state(state);
  trip.set_version(trip.version() + 1);
  *event.mutable_trip() = trip;
  return trips_[trip.trip_id()] = std::move(trip);
}

std::size_t FakeTrips::OldestOpen() const {
  for (std::size_t i = 0; i < log_.size(); ++i) {
    if (!IsEnded(trips_.at(log_[i].trip().trip_id()).state())) return i;
  }
  return log_.size();
}

}  // namespace ridestream::dispatch
