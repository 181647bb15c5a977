#include "tests/sim/record_checker.h"

#include <fmt/format.h>

#include <algorithm>

#include "loadtest/auditor/trip_states.h"

namespace ridestream::sim {
namespace {

/// The effect of a fault may last this long: half-open streams, silences and pauses last tens of
/// seconds.
constexpr Duration kFeltFor = std::chrono::minutes(1);

}  // namespace

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
  if (trip.state() == trip::v1::TRIP_STATE_CANCELLED) {
    const trip::v1::Cancellation& how = trip.cancellation();
    ++seen_[trip::v1::CancelReason_Name(how.reason()) +
            (how.by_service_id().empty() ? "" : " by a service")];
  }
  CheckRider(trip);
  if (trip.state() == trip::v1::TRIP_STATE_ABOARD) {
    CheckSeats(DriverId(trip.driver().driver_id()));
  }
  CheckPromise(id);
  CountSharing(event);
}

void RecordChecker::OnLeaseHeld(const trip::Lease& lease) {
  if (lease.term < lease_.term || (lease.term == lease_.term && lease.holder != lease_.holder)) {
    context_.Violated(fmt::format("{} holds the lease in term {} behind {} in term {}",
                                  lease.holder, lease.term, lease_.holder, lease_.term));
  }
  if (lease.holder != lease_.holder && !lease_.holder.empty()) ++seen_["lease taken over"];
  lease_ = lease;
}

void RecordChecker::OnChangedInTerm(std::uint64_t term, const trip::v1::TripEvent& event) {
  if (term == lease_.term) return;
  context_.Violated(fmt::format("trip {} was changed by a command of term {} in term {}",
                                event.trip().trip_id(), term, lease_.term));
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

/// A promise may be broken only after an event that may delay somebody, since the promise was made
/// or shortly before.
void RecordChecker::CheckPromise(const TripId& id) {
  const loadtest::TripRecord& record = *book_.Find(id);
  const Duration late = record.Late();
  if (late <= Duration::zero() || !late_.insert(id).second) return;
  ++seen_["broken promise"];
  if (context_.may_delay_at + kFeltFor < record.requested_at) {
    context_.Violated(fmt::format("trip {} is {:.1f} s later than promised, for no reason", id,
                                  std::chrono::duration<double>(late).count()));
  }
}

void RecordChecker::CountSharing(const trip::v1::TripEvent& event) {
  const trip::v1::Trip& trip = event.trip();
  if (!trip.has_promise() || trip.state() == event.previous_state()) {
    const bool moved = trip.has_promise() && trip.state() == trip::v1::TRIP_STATE_ASSIGNED;
    if (moved) ++seen_["moved to another car"];
    return;
  }
  if (trip.state() == trip::v1::TRIP_STATE_REQUESTED && trip.version() == 1) {
    ++seen_["shared request"];
  } else if (trip.state() == trip::v1::TRIP_STATE_ASSIGNED && CountOthers(trip, false) > 0) {
    ++seen_["put into a plan under way"];
  } else if (trip.state() == trip::v1::TRIP_STATE_ABOARD && CountOthers(trip, true) > 0) {
    ++seen_["aboard with others"];
  }
}

std::int64_t RecordChecker::CountOthers(const trip::v1::Trip& trip, bool aboard) const {
  return std::count_if(trips_.begin(), trips_.end(), [&](const auto& entry) {
    const trip::v1::Trip& other = entry.second;
    return other.trip_id() != trip.trip_id() &&
           other.driver().driver_id() == trip.driver().driver_id() &&
           (aboard ? other.state() == trip::v1::TRIP_STATE_ABOARD
                   : !loadtest::IsEnded(other.state()));
  });
}

void RecordChecker::OnSent(const trip::v1::Trip& trip) {
  const auto durable = trips_.find(TripId(trip.trip_id()));
  if (durable == trips_.end() || durable->second.version() < trip.version()) {
    context_.Violated(fmt::format("trip {} version {} was sent before it was durable",
                                  trip.trip_id(), trip.version()));
  }
}

}  // namespace ridestream::sim
