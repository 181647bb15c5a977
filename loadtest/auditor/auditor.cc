#include "loadtest/auditor/auditor.h"

#include <fmt/format.h>

#include <algorithm>

#include "libs/proto_values/proto_values.h"
#include "loadtest/auditor/trip_states.h"

namespace ridestream::loadtest {

namespace pb = ::ridestream::trip::v1;

namespace {

std::int64_t RoundedPart(std::int64_t price, std::int64_t amount, std::int64_t unit) {
  return (2 * price * amount + unit) / (2 * unit);
}

}  // namespace

bool IsTariffsSum(const pb::Fare& fare) {
  const pb::Tariff& tariff = fare.tariff();
  const std::int64_t minute_us = 60'000'000;
  const std::int64_t by_distance_and_time =
      tariff.base_minor() + fare.distance_part_minor() + fare.time_part_minor();
  const std::int64_t surge_percent = std::max<std::int64_t>(100, tariff.surge_percent());
  const std::int64_t sum = by_distance_and_time + fare.surge_minor();
  return fare.distance_part_minor() == RoundedPart(tariff.per_km_minor(), fare.length_m(), 1'000) &&
         fare.time_part_minor() == RoundedPart(tariff.per_minute_minor(),
                                               FromProto(fare.duration()).count(), minute_us) &&
         fare.surge_minor() == RoundedPart(surge_percent - 100, by_distance_and_time, 100) &&
         fare.total().amount_minor() == sum - fare.shared_discount_minor() &&
         (fare.shared_discount_minor() == 0 ||
          fare.shared_discount_minor() ==
              RoundedPart(tariff.shared_discount_percent(), sum, 100)) &&
         fare.total().currency_code() == tariff.currency_code();
}

// NOLINTNEXTLINE(performance-unnecessary-value-param): moved, which it can't see in emplace.
void Auditor::AddRider(RiderHistory history) {
  RiderId id = history.id;
  riders_.emplace(std::move(id), std::move(history));
}

// NOLINTNEXTLINE(performance-unnecessary-value-param): moved, which it can't see in emplace.
void Auditor::AddDriver(DriverHistory history) {
  if (history.taken_over) {
    any_taken_over_ = true;
    return;
  }
  DriverId id = history.id;
  drivers_.emplace(std::move(id), std::move(history));
}

void Auditor::AddPositions(std::uint64_t sent, std::uint64_t indexed) {
  verdict_.Looked(Check::kPositionsIndexed, sent);
  // People who took over cars send positions too, which are not in `sent`.
  if (indexed == 0 || (indexed > sent && !any_taken_over_)) {
    verdict_.Violated(Check::kPositionsIndexed,
                      fmt::format("{} positions sent, {} seen in the index", sent, indexed));
  }
}

void Auditor::AddEvent(const pb::TripEvent& event) {
  const TripRecord* before = book_.Find(TripId(event.trip().trip_id()));
  if (before == nullptr) {
    ++trips_of_rider_[RiderId(event.trip().passenger().rider_id())];
  }
  const bool repeat = before != nullptr && event.trip().version() <= before->version;
  const pb::TripState state_before = before == nullptr ? event.previous_state() : before->state;
  book_.OnEvent(event);
  if (repeat) return;
  CountSeats(event, state_before);
  CountRide(event, state_before);
  if (event.trip().state() == state_before) return;
  CheckDeed(event);
  CountStep(event.trip());
}

void Auditor::CountStep(const pb::Trip& trip) {
  const bool is_step = trip.state() == pb::TRIP_STATE_ARRIVED ||
                       trip.state() == pb::TRIP_STATE_ABOARD ||
                       trip.state() == pb::TRIP_STATE_COMPLETED;
  if (!is_step || !riders_.contains(RiderId(trip.passenger().rider_id()))) return;
  ++steps_;
  if (trip.implausible_steps().empty()) return;
  const pb::ImplausibleStep& last = *trip.implausible_steps().rbegin();
  if (last.to() == trip.state() && last.driver_id() == trip.driver().driver_id()) {
    ++implausible_steps_;
  }
}

void Auditor::CountSeats(const pb::TripEvent& event, pb::TripState before) {
  const DriverId driver_id(event.trip().driver().driver_id());
  const auto driver = drivers_.find(driver_id);
  if (driver == drivers_.end()) return;
  const std::uint32_t party = event.trip().passenger().party_size();
  const bool was_aboard = before == pb::TRIP_STATE_ABOARD;
  const bool is_aboard = event.trip().state() == pb::TRIP_STATE_ABOARD;
  if (was_aboard == is_aboard) return;
  std::uint32_t& taken = seats_taken_[driver_id];
  if (was_aboard) {
    taken -= std::min(taken, party);
    return;
  }
  taken += party;
  verdict_.Looked(Check::kSeatsNotExceeded);
  if (taken > driver->second.seats) {
    verdict_.Violated(Check::kSeatsNotExceeded,
                      fmt::format("driver {}: {} aboard with event {}, has {} seats", driver_id,
                                  taken, event.sequence(), driver->second.seats));
  }
}

// Counts the occupancy of cars, by driver, in the order of the log.
void Auditor::CountRide(const pb::TripEvent& event, pb::TripState before) {
  const int was_aboard = before == pb::TRIP_STATE_ABOARD ? 1 : 0;
  const int is_aboard = event.trip().state() == pb::TRIP_STATE_ABOARD ? 1 : 0;
  if (was_aboard == is_aboard) return;
  Occupancy& car = occupancy_[DriverId(event.trip().driver().driver_id())];
  const Time now = FromProto(event.at());
  if (car.trips > 0) {
    occupied_ += now - car.since;
    ridden_ += (now - car.since) * car.trips;
  }
  car.trips = std::max(0, car.trips + is_aboard - was_aboard);
  car.since = now;
}

RideFigures Auditor::rides() const {
  RideFigures figures;
  figures.steps = steps_;
  figures.implausible_steps = implausible_steps_;
  for (const auto& [id, record] : book_.trips()) {
    if (!riders_.contains(record.rider_id) || !record.promise) continue;
    ++figures.shared_trips;
    if (record.Late() > Duration::zero()) ++figures.broken_promises;
  }
  if (occupied_ > Duration::zero()) {
    figures.riders_per_car =
        std::chrono::duration<double>(ridden_) / std::chrono::duration<double>(occupied_);
  }
  return figures;
}

// Checks that the driver of each step on record made it.
void Auditor::CheckDeed(const pb::TripEvent& event) {
  const pb::TripState state = event.trip().state();
  const auto driver = drivers_.find(DriverId(event.trip().driver().driver_id()));
  if (driver == drivers_.end() ||
      (state != pb::TRIP_STATE_ARRIVED && state != pb::TRIP_STATE_ABOARD &&
       state != pb::TRIP_STATE_COMPLETED)) {
    return;
  }
  verdict_.Looked(Check::kDriverDidRecord);
  const DrivenTrip& driven = driver->second.Driven(TripId(event.trip().trip_id()));
  const bool did = state == pb::TRIP_STATE_ARRIVED  ? driven.arrived
                   : state == pb::TRIP_STATE_ABOARD ? driven.picked_up
                                                    : driven.dropped_off;
  if (!did) {
    verdict_.Violated(
        Check::kDriverDidRecord,
        fmt::format("trip {}: is {} by event {}, which driver {} never said",
                    event.trip().trip_id(), StateName(state), event.sequence(), driver->first));
  }
}

void Auditor::AddListed(const pb::Trip& trip) {
  const TripId trip_id(trip.trip_id());
  const TripRecord* record = book_.Find(trip_id);
  if (record == nullptr || !riders_.contains(record->rider_id)) return;
  verdict_.Looked(Check::kListEqualsLog);
  if (listed_[trip_id]) {
    verdict_.Violated(Check::kListEqualsLog, fmt::format("trip {}: is listed twice", trip_id));
  }
  listed_[trip_id] = true;
  if (trip.version() != record->version || trip.state() != record->state) {
    verdict_.Violated(Check::kListEqualsLog,
                      fmt::format("trip {}: is listed as {} version {}, the log ends with {} "
                                  "version {}",
                                  trip_id, StateName(trip.state()), trip.version(),
                                  StateName(record->state), record->version));
  }
}

void Auditor::OnUnreadableRecord(const std::string& why) {
  verdict_.Violated(Check::kAcceptedTripEnded, fmt::format("the record can't be read: {}", why));
}

const Verdict& Auditor::Judge(Extent extent) {
  for (const auto& [id, rider] : riders_) JudgeRider(rider);
  for (const auto& [id, driver] : drivers_) JudgeDriver(driver);
  for (const auto& [id, record] : book_.trips()) JudgeTrip(id, record);
  if (extent == Extent::kWhole) verdict_.Close();
  return verdict_;
}

// A driver gets a trip by accepting it, except for riders who share, whose trips are inserted into
// its plan; and a list leaves no trip out.
void Auditor::JudgeTrip(const TripId& trip_id, const TripRecord& record) {
  for (const Assignment& assignment : record.assignments) {
    const auto driver = drivers_.find(assignment.driver_id);
    if (driver == drivers_.end()) continue;
    verdict_.Looked(Check::kOneDriverPerTrip);
    const auto& offers = driver->second.offers;
    const bool accepted = std::any_of(offers.begin(), offers.end(), [&](const auto& offer) {
      return offer.offer_id == assignment.offer_id && offer.trip_id == trip_id &&
             offer.answer == OfferHistory::Answer::kAccept;
    });
    const auto& planned = driver->second.planned;
    const bool put_in =
        record.promise && std::find(planned.begin(), planned.end(), trip_id) != planned.end();
    // The driver never saw a trip that was moved or cancelled before its plan was pushed.
    const bool unseen = record.promise && (assignment.released_at != Time::max() ||
                                           record.state == pb::TRIP_STATE_CANCELLED);
    if (!accepted && !put_in && !unseen) {
      verdict_.Violated(Check::kOneDriverPerTrip,
                        fmt::format("trip {}: given to driver {} by offer {}, which it didn't "
                                    "accept",
                                    trip_id, assignment.driver_id, assignment.offer_id));
    }
  }
  if (riders_.contains(record.rider_id) && !listed_.contains(trip_id)) {
    verdict_.Violated(Check::kListEqualsLog, fmt::format("trip {}: is not listed", trip_id));
  }
}

}  // namespace ridestream::loadtest
