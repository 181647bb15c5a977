#include "tests/sim/record_checker.h"

#include <fmt/format.h>

#include <algorithm>

#include "loadtest/auditor/trip_states.h"

namespace ridestream::sim {

void RecordChecker::OnDurable(const trip::v1::TripEvent& event) {
  const trip::v1::Trip& trip = event.trip();
  if (event.sequence() != log_.size() + 1) {
    context_.Violated(fmt::format("log: event {} came behind {}", event.sequence(), log_.size()));
  }
  const TripId id(trip.trip_id());
  const auto known = trips_.find(id);
  if (known != trips_.end()) {
    const auto& before = known->second.released_driver_ids();
    const auto& after = trip.released_driver_ids();
    if (!std::equal(before.begin(), before.end(), after.begin(),
                    after.begin() + std::min(before.size(), after.size()))) {
      context_.Violated(fmt::format("trip {} forgets who had lost it", id));
    }
  }
  log_.push_back(event);
  trips_[id] = trip;
  book_.OnEvent(event);
  for (; violations_passed_on_ < verdict_.first().size(); ++violations_passed_on_) {
    context_.Violated(verdict_.first()[violations_passed_on_].text);
  }
  CheckRider(trip);
  if (trip.state() == trip::v1::TRIP_STATE_ABOARD) {
    CheckSeats(DriverId(trip.driver().driver_id()));
  }
}

void RecordChecker::CheckRider(const trip::v1::Trip& trip) {
  const RiderId rider(trip.passenger().rider_id());
  const TripId id(trip.trip_id());
  TripId& open = open_of_rider_[rider];
  if (loadtest::IsEnded(trip.state())) {
    if (open == id) open = TripId();
    return;
  }
  if (!open.empty() && open != id) {
    context_.Violated(fmt::format("rider {} has two open trips: {} and {}", rider, open, id));
  }
  open = id;
}

void RecordChecker::CheckSeats(const DriverId& driver) {
  std::uint32_t aboard = 0;
  for (const auto& [id, trip] : trips_) {
    if (trip.state() == trip::v1::TRIP_STATE_ABOARD && trip.driver().driver_id() == driver.str()) {
      aboard += trip.passenger().party_size();
    }
  }
  if (aboard > seats_[driver]) {
    context_.Violated(
        fmt::format("driver {} has {} aboard and {} seats", driver, aboard, seats_[driver]));
  }
}

void RecordChecker::OnTold(const trip::v1::Trip& trip) {
  const auto durable = trips_.find(TripId(trip.trip_id()));
  if (durable == trips_.end() || durable->second.version() < trip.version()) {
    context_.Violated(fmt::format("trip {} version {} was told before it was durable",
                                  trip.trip_id(), trip.version()));
  }
}

}  // namespace ridestream::sim
