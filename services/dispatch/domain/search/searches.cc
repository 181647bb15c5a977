#include "services/dispatch/domain/search/searches.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "libs/base/invariant.h"
#include "libs/proto_values/proto_values.h"

namespace ridestream::dispatch {
namespace {

Timer WaitTimer(const TripId& id) { return {TimerKind::kTripWaitedTooLong, id.str()}; }

}  // namespace

std::optional<SharedRide> SharedRideOf(const trip::v1::Trip& trip) {
  if (!trip.has_promise()) return std::nullopt;
  return SharedRide{FromProto(trip.pickup()), FromProto(trip.dropoff()),
                    trip.passenger().party_size(), FromProto(trip.promise().latest_pickup_at()),
                    FromProto(trip.promise().latest_dropoff_at())};
}

Searches::Searches(Config config, const TripBook& trips, const Fleet& fleet, TripCommands& commands,
                   Timers& timers)
    : config_(std::move(config)),
      trips_(trips),
      fleet_(fleet),
      commands_(commands),
      timers_(timers),
      waiting_(config_.rounds) {}

void Searches::Continue(const TripId& id, Time hold_until, Step& step) {
  const OpenTrip* open = trips_.Find(id);
  if (open == nullptr || open->trip.state() != trip::v1::TRIP_STATE_REQUESTED || IsWaiting(id) ||
      commands_.IsPending<trip::v1::GiveUpTripRequest>(id)) {
    return;
  }
  Search& search = searches_[id];
  if (!search.give_up_at) {
    search.give_up_at = step.now() + config_.max_wait;
    search.held_by_price_until = step.now() + config_.price_hold;
    // A rider whose promise can't be kept any more is notified at once.
    if (const auto shared = SharedRideOf(open->trip)) {
      search.give_up_at = std::min(*search.give_up_at, shared->latest_pickup);
    }
  }
  if (step.now() >= *search.give_up_at) {
    TimeIsUp(id, step);
    return;
  }
  timers_.Set(WaitTimer(id), *search.give_up_at);
  if (search.radius_m == 0) search.radius_m = config_.radius_m;
  Wait(open->trip, search, hold_until, /*last_look=*/false);
}

void Searches::Wait(const trip::v1::Trip& trip, const Search& search, Time hold_until,
                    bool last_look) {
  waiting_.Add({.id = TripId(trip.trip_id()),
                .requested_at = FromProto(trip.requested_at()),
                .pickup = FromProto(trip.pickup()),
                .party_size = trip.passenger().party_size(),
                .radius_m = search.radius_m,
                .hold_until = hold_until,
                .direct = FromProto(trip.fare().duration()),
                .shared = SharedRideOf(trip),
                .held_by_price_until = search.held_by_price_until,
                .last_look = last_look});
}

void Searches::Rest(const TripId& trip) {
  waiting_.Remove(trip);
  timers_.Cancel(WaitTimer(trip));
}

void Searches::Found(const TripId& trip) {
  Rest(trip);
  const auto search = searches_.find(trip);
  if (search == searches_.end()) return;
  search->second.give_up_at.reset();
  search->second.radius_m = 0;
  search->second.looked_last = false;
}

void Searches::Forget(const TripId& trip) {
  Rest(trip);
  searches_.erase(trip);
}

void Searches::TimeIsUp(const TripId& trip, Step& step) {
  Rest(trip);
  const OpenTrip* open = trips_.Find(trip);
  if (open == nullptr || !CanLookLast(*open, searches_[trip], step.now())) {
    GiveUp(trip, step);
    return;
  }
  Search& search = searches_[trip];
  search.looked_last = true;
  search.radius_m = config_.rounds.max_radius_m;
  Wait(open->trip, search, step.now(), /*last_look=*/true);
}

bool Searches::CanLookLast(const OpenTrip& open, const Search& search, Time now) const {
  if (search.looked_last) return false;
  const std::optional<SharedRide> shared = SharedRideOf(open.trip);
  // Without free drivers, only riders who share can get a driver.
  return shared ? now < shared->latest_pickup : fleet_.AnyFree();
}

void Searches::GiveUpAfterLastLooks(Step& step) {
  for (const TripId& trip : waiting_.TakeLookedLast()) {
    if (IsWaiting(trip)) GiveUp(trip, step);
  }
}

void Searches::GiveUp(const TripId& trip, Step& step) {
  Rest(trip);
  trip::v1::GiveUpTripRequest request;
  request.set_trip_id(trip.str());
  commands_.Send(std::move(request), {}, step);
}

void Searches::GiveUpSettled(const TripId& trip) {
  const auto search = searches_.find(trip);
  if (search == searches_.end()) return;
  search->second.give_up_at.reset();
  search->second.looked_last = false;
}

void Searches::Decline(const TripId& trip, const DriverId& driver) {
  if (trips_.Find(trip) != nullptr) searches_[trip].declined.insert(driver);
}

void Searches::OfferExpired(const TripId& trip, const DriverId& driver) {
  if (trips_.Find(trip) != nullptr) searches_[trip].silent.insert(driver);
}

Eligibility Searches::EligibilityOf(const TripId& trip, const DriverId& driver) const {
  const OpenTrip* open = trips_.Find(trip);
  if (open == nullptr) return Eligibility::kNo;
  const auto& released = open->trip.released_driver_ids();
  if (std::find(released.begin(), released.end(), driver.str()) != released.end()) {
    return Eligibility::kNo;
  }
  const auto search = searches_.find(trip);
  if (search == searches_.end()) return Eligibility::kYes;
  if (search->second.declined.contains(driver)) return Eligibility::kNo;
  return search->second.silent.contains(driver) ? Eligibility::kLastResort : Eligibility::kYes;
}

std::vector<Match> Searches::FinishRound(const CandidatesFound& found,
                                         const SuitabilityFn& suitability,
                                         const InsertableFn& insertable, Time now) {
  std::vector<Match> matches = waiting_.FinishRound(found, suitability, insertable, now);
  for (const Match& match : matches) {
    waiting_.Remove(match.trip.id);
    searches_[match.trip.id].radius_m = match.trip.radius_m;
  }
  return matches;
}

}  // namespace ridestream::dispatch
