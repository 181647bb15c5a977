#include "loadtest/auditor/record_book.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "libs/proto_values/proto_values.h"
#include "loadtest/auditor/trip_states.h"

namespace ridestream::loadtest {

namespace pb = ::ridestream::trip::v1;

namespace {

/// Whether a shared trip was moved from a driver who hadn't arrived to another one.
bool IsMove(const TripRecord& record, const pb::Trip& trip) {
  if (!trip.has_promise() || record.state != pb::TRIP_STATE_ASSIGNED ||
      trip.state() != pb::TRIP_STATE_ASSIGNED || record.assignments.empty()) {
    return false;
  }
  const std::string& before = record.assignments.back().driver_id.str();
  const auto& released = trip.released_driver_ids();
  return before != trip.driver().driver_id() &&
         std::find(released.begin(), released.end(), before) != released.end();
}

}  // namespace

Duration TripRecord::Late() const {
  if (!promise) return Duration::zero();
  Duration late{};
  if (arrived_at != Time::max()) {
    late = std::max(late, Duration(arrived_at - FromProto(promise->latest_pickup_at())));
  }
  if (dropped_off_at != Time::max()) {
    late = std::max(late, Duration(dropped_off_at - FromProto(promise->latest_dropoff_at())));
  }
  return late;
}

bool IsLegalTransition(pb::TripState from, pb::TripState to) {
  switch (from) {
    case pb::TRIP_STATE_UNSPECIFIED:
      return to == pb::TRIP_STATE_REQUESTED;
    case pb::TRIP_STATE_REQUESTED:
      return to == from || to == pb::TRIP_STATE_ASSIGNED || to == pb::TRIP_STATE_CANCELLED ||
             to == pb::TRIP_STATE_UNSERVED;
    case pb::TRIP_STATE_ASSIGNED:
      return to == from || to == pb::TRIP_STATE_ARRIVED || to == pb::TRIP_STATE_REQUESTED ||
             to == pb::TRIP_STATE_CANCELLED;
    case pb::TRIP_STATE_ARRIVED:
      return to == from || to == pb::TRIP_STATE_ABOARD || to == pb::TRIP_STATE_REQUESTED ||
             to == pb::TRIP_STATE_CANCELLED;
    case pb::TRIP_STATE_ABOARD:
      return to == from || to == pb::TRIP_STATE_COMPLETED || to == pb::TRIP_STATE_CANCELLED;
    default:
      return false;
  }
}

void RecordBook::OnEvent(const pb::TripEvent& event) {
  if (event.sequence() <= sequence_) return;
  sequence_ = event.sequence();
  const pb::Trip& trip = event.trip();
  const auto [found, is_new] = trips_.try_emplace(TripId(trip.trip_id()));
  TripRecord& record = found->second;
  if (is_new) {
    record.rider_id = RiderId(trip.passenger().rider_id());
    record.party_size = trip.passenger().party_size();
    record.whole = event.previous_state() == pb::TRIP_STATE_UNSPECIFIED;
    record.first_fare_minor = trip.fare().total().amount_minor();
    record.state = event.previous_state();
    record.version = trip.version() - 1;
    record.requested_at = FromProto(trip.requested_at());
    if (trip.has_promise()) record.promise = trip.promise();
  }
  CheckPromise(record, trip);
  CheckTransition(record, event);
  CheckCancellation(record, trip);
  CheckTimes(trip);
  CheckDriver(record, event);
  record.version = trip.version();
  record.state = trip.state();
  record.fare = trip.fare();
  record.arrived_at = trip.has_arrived_at() ? FromProto(trip.arrived_at()) : Time::max();
  if (trip.state() == pb::TRIP_STATE_COMPLETED) record.dropped_off_at = FromProto(trip.ended_at());
  record.cancelled_by = trip.cancellation().by_rider_id();
  if ((record.states.empty() || record.states.back() != trip.state()) &&
      record.states.size() < TripRecord::kKeptStates) {
    record.states.push_back(trip.state());
  }
}

void RecordBook::CheckTransition(const TripRecord& record, const pb::TripEvent& event) {
  verdict_.Looked(Check::kLegalTransition);
  const pb::Trip& trip = event.trip();
  if (event.previous_state() != record.state) {
    verdict_.Violated(
        Check::kLegalTransition,
        fmt::format("trip {}: event {} says it was {}, it was {}", trip.trip_id(), event.sequence(),
                    StateName(event.previous_state()), StateName(record.state)));
  }
  if (!IsLegalTransition(record.state, trip.state())) {
    verdict_.Violated(
        Check::kLegalTransition,
        fmt::format("trip {}: event {} leads from {} to {}", trip.trip_id(), event.sequence(),
                    StateName(record.state), StateName(trip.state())));
  }
  if (trip.version() != record.version + 1) {
    verdict_.Violated(Check::kLegalTransition,
                      fmt::format("trip {}: event {} has version {} after {}", trip.trip_id(),
                                  event.sequence(), trip.version(), record.version));
  }
}

void RecordBook::CheckCancellation(const TripRecord& record, const pb::Trip& trip) {
  if (trip.state() != pb::TRIP_STATE_CANCELLED) return;
  const pb::Cancellation& how = trip.cancellation();
  const int by = (how.by_rider_id().empty() ? 0 : 1) + (how.by_driver_id().empty() ? 0 : 1) +
                 (how.by_service_id().empty() ? 0 : 1);
  const bool left = record.state == pb::TRIP_STATE_ABOARD && how.by_service_id().empty();
  if (by != 1 || (left && !trip.has_driver_lost_at())) {
    verdict_.Violated(Check::kLegalTransition,
                      fmt::format("trip {}: is CANCELLED from {}: {}", trip.trip_id(),
                                  StateName(record.state), how.ShortDebugString()));
  }
  const bool no_show = how.reason() == pb::CANCEL_REASON_NO_SHOW;
  if (no_show != !how.by_driver_id().empty() ||
      (no_show && (record.state != pb::TRIP_STATE_ARRIVED ||
                   how.by_driver_id() != trip.driver().driver_id()))) {
    verdict_.Violated(Check::kLegalTransition,
                      fmt::format("trip {}: ended from {} for a no-show: {}", trip.trip_id(),
                                  StateName(record.state), how.ShortDebugString()));
  }
  const pb::Tariff& tariff = trip.fare().tariff();
  const bool owes = no_show && FromProto(trip.ended_at()) - FromProto(trip.arrived_at()) >=
                                   FromProto(tariff.no_show_after());
  if (how.fee().amount_minor() != (owes ? tariff.no_show_fee_minor() : 0)) {
    verdict_.Violated(Check::kFareEqualsQuote,
                      fmt::format("trip {}: the fee isn't the tariff's: {}", trip.trip_id(),
                                  how.ShortDebugString()));
  }
}

void RecordBook::CheckTimes(const pb::Trip& trip) {
  Time before = FromProto(trip.requested_at());
  const std::array steps = {&trip.assigned_at(), &trip.arrived_at(), &trip.aboard_at(),
                            &trip.ended_at()};
  for (const auto* step : steps) {
    if (step->seconds() == 0) continue;  // Not reached.
    const Time at = FromProto(*step);
    if (at < before) {
      verdict_.Violated(Check::kLegalTransition,
                        fmt::format("trip {}: version {} has times that aren't in order",
                                    trip.trip_id(), trip.version()));
      return;
    }
    before = at;
  }
}

void RecordBook::CheckPromise(const TripRecord& record, const pb::Trip& trip) {
  const bool same = record.promise
                        ? record.promise->SerializeAsString() == trip.promise().SerializeAsString()
                        : !trip.has_promise();
  if (same) return;
  verdict_.Violated(
      Check::kPromiseKept,
      fmt::format("trip {}: its promise is another in version {}", trip.trip_id(), trip.version()));
}

void RecordBook::CheckDriver(TripRecord& record, const pb::TripEvent& event) {
  const pb::Trip& trip = event.trip();
  const DriverId driver_id(trip.driver().driver_id());
  verdict_.Looked(Check::kOneDriverPerTrip);
  const bool must_have = HasDriver(trip.state()) || trip.state() == pb::TRIP_STATE_COMPLETED;
  if (must_have == driver_id.empty() && trip.state() != pb::TRIP_STATE_CANCELLED) {
    verdict_.Violated(Check::kOneDriverPerTrip,
                      fmt::format("trip {}: event {} is {} with driver '{}'", trip.trip_id(),
                                  event.sequence(), StateName(trip.state()), driver_id));
  }
  const bool moved = IsMove(record, trip);
  if (HasDriver(record.state) && must_have && !record.assignments.empty() && !moved &&
      record.assignments.back().driver_id != driver_id) {
    verdict_.Violated(
        Check::kOneDriverPerTrip,
        fmt::format("trip {}: event {} changes the driver from {} to {}", trip.trip_id(),
                    event.sequence(), record.assignments.back().driver_id, driver_id));
  }
  if (HasDriver(record.state) && (trip.state() == pb::TRIP_STATE_REQUESTED || moved) &&
      !record.assignments.empty()) {
    record.assignments.back().released_at = FromProto(event.at());
  }
  if (trip.state() != pb::TRIP_STATE_ASSIGNED) return;
  if (record.state == pb::TRIP_STATE_ASSIGNED && !moved) return;
  verdict_.Looked(Check::kNotOfferedAgain);
  for (const Assignment& before : record.assignments) {
    if (before.driver_id == driver_id) {
      verdict_.Violated(Check::kNotOfferedAgain,
                        fmt::format("trip {}: event {} gives it to {} again", trip.trip_id(),
                                    event.sequence(), driver_id));
    }
  }
  record.assignments.push_back({driver_id, OfferId(trip.offer_id())});
}

const TripRecord* RecordBook::Find(const TripId& trip_id) const {
  const auto found = trips_.find(trip_id);
  return found == trips_.end() ? nullptr : &found->second;
}

}  // namespace ridestream::loadtest
