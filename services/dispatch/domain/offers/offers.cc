#include "services/dispatch/domain/offers/offers.h"

#include <fmt/format.h>

#include <algorithm>

#include "absl/status/status.h"
#include "libs/base/invariant.h"
#include "libs/proto_values/proto_values.h"
#include "services/dispatch/domain/plan/eta.h"

namespace ridestream::dispatch {
namespace {

Timer LeaseTimer(const OfferId& id) { return {TimerKind::kOfferEnds, id.str()}; }

v1::Offer MakeMessage(const OfferId& id, const trip::v1::Trip& trip, const Candidate& candidate,
                      Time expires_at, Time now) {
  v1::Offer offer;
  offer.set_offer_id(id.str());
  offer.set_trip_id(trip.trip_id());
  *offer.mutable_pickup() = trip.pickup();
  *offer.mutable_dropoff() = trip.dropoff();
  offer.set_party_size(trip.passenger().party_size());
  *offer.mutable_fare() = trip.fare().total();
  offer.set_pickup_eta_s(EtaSeconds(candidate.travel_time));
  offer.set_trip_length_m(trip.fare().length_m());
  offer.set_trip_duration_s(
      static_cast<std::uint32_t>(std::max<std::int64_t>(0, trip.fare().duration().seconds())));
  *offer.mutable_expires_at() = ToProto(expires_at);
  *offer.mutable_decided_at() = ToProto(now);
  offer.set_driver_id(candidate.driver.str());
  return offer;
}

v1::OfferEnded MakeEnded(const std::string& offer, const std::string& trip,
                         v1::OfferOutcome outcome) {
  v1::OfferEnded ended;
  ended.set_offer_id(offer);
  ended.set_trip_id(trip);
  ended.set_outcome(outcome);
  return ended;
}

v1::DriveResponse AsPush(v1::OfferEnded ended) {
  v1::DriveResponse message;
  *message.mutable_offer_ended() = std::move(ended);
  return message;
}

template <class Map, class Key>
OpenOffer* FindIn(Map& offers, const Key& key) {
  const auto it = offers.find(key);
  return it == offers.end() ? nullptr : it->second;
}

}  // namespace

OfferId Offers::NextId() { return OfferId(fmt::format("{}{}", config_.id_prefix, ++last_id_)); }

void Offers::Make(const trip::v1::Trip& trip, const Candidate& driver, Step& step) {
  const TripId trip_id(trip.trip_id());
  (void)RIDESTREAM_INVARIANT(OfDriver(driver.driver) == nullptr, "a driver has one open offer");
  (void)RIDESTREAM_INVARIANT(OfTrip(trip_id) == nullptr, "a trip has one open offer");
  const OfferId id = NextId();
  const Time expires_at = step.now() + config_.lease;
  OpenOffer& open =
      open_
          .emplace(id, OpenOffer{id, driver.driver, trip_id,
                                 MakeMessage(id, trip, driver, expires_at, step.now()), expires_at})
          .first->second;
  of_driver_[open.driver] = &open;
  of_trip_[open.trip] = &open;
  timers_.Set(LeaseTimer(id), expires_at + config_.accept_grace);
  fleet_.BeginOffer(driver, step.now());
  v1::DriveResponse message;
  *message.mutable_offer() = open.message;
  fleet_.PushTo(driver.driver, std::move(message), step);
}

void Offers::Accept(OpenOffer& offer) {
  offer.state = OpenOffer::State::kAccepted;
  timers_.Cancel(LeaseTimer(offer.id));
}

void Offers::End(const OpenOffer& offer, v1::OfferOutcome outcome, Step& step) {
  const auto it = open_.find(offer.id);
  if (!RIDESTREAM_INVARIANT(it != open_.end(), "an offer that ends is open")) return;
  const OpenOffer closed = std::move(it->second);
  open_.erase(it);
  of_driver_.erase(closed.driver);
  of_trip_.erase(closed.trip);
  timers_.Cancel(LeaseTimer(closed.id));
  if (!fleet_.EndOffer(closed.driver)) return;
  v1::OfferEnded ended = MakeEnded(closed.id.str(), closed.trip.str(), outcome);
  Remember(closed.driver, ended);
  fleet_.PushTo(closed.driver, AsPush(std::move(ended)), step);
}

void Offers::Remember(const DriverId& driver, const v1::OfferEnded& ended) {
  History& history = histories_[driver];
  const bool accepted = ended.outcome() == v1::OFFER_OUTCOME_ACCEPTED;
  if (accepted || ended.outcome() == v1::OFFER_OUTCOME_DECLINED ||
      ended.outcome() == v1::OFFER_OUTCOME_EXPIRED) {
    ++history.answered;
    if (accepted) ++history.accepted;
  }
  if (history.ended.size() == kEndedRemembered) history.ended.pop_front();
  history.ended.push_back(ended);
}

OpenOffer* Offers::FindForAnswer(const DriverId& driver, const v1::OfferAnswer& answer,
                                 const TripBook& trips, Step& step) {
  OpenOffer* offer = Find(OfferId(answer.offer_id()));
  if (offer == nullptr) {
    PushOfferEnded(driver, answer.offer_id(), trips, step);
    return nullptr;
  }
  if (offer->driver != driver) {
    v1::DriveResponse message;
    v1::Rejected& rejected = *message.mutable_rejected();
    *rejected.mutable_offer_answer() = answer;
    rejected.set_code(v1::REJECTION_CODE_PERMISSION_DENIED);
    rejected.set_message(fmt::format("offer {} was made to another driver", offer->id));
    fleet_.PushTo(driver, std::move(message), step);
    return nullptr;
  }
  // After acceptance only the trip service decides. A second answer changes nothing.
  return offer->state == OpenOffer::State::kOffered ? offer : nullptr;
}

void Offers::PushOfferEnded(const DriverId& id, const std::string& offer, const TripBook& trips,
                            Step& step) {
  const Driver* driver = fleet_.Find(id);
  if (driver == nullptr) return;
  if (const auto history = histories_.find(id); history != histories_.end()) {
    for (const v1::OfferEnded& ended : history->second.ended) {
      if (ended.offer_id() != offer) continue;
      fleet_.PushTo(id, AsPush(ended), step);
      return;
    }
  }
  // Accepted before this process started, and the driver never received the outcome.
  for (const TripId& trip : driver->plan.Trips()) {
    const OpenTrip* open = trips.Find(trip);
    if (open == nullptr || open->trip.offer_id() != offer) continue;
    fleet_.PushTo(id, AsPush(MakeEnded(offer, trip.str(), v1::OFFER_OUTCOME_ACCEPTED)), step);
    return;
  }
  fleet_.PushTo(id, AsPush(MakeEnded(offer, "", v1::OFFER_OUTCOME_WITHDRAWN)), step);
}

OpenOffer* Offers::Find(const OfferId& id) {
  const auto it = open_.find(id);
  return it == open_.end() ? nullptr : &it->second;
}

OpenOffer* Offers::OfDriver(const DriverId& driver) { return FindIn(of_driver_, driver); }

OpenOffer* Offers::OfTrip(const TripId& trip) { return FindIn(of_trip_, trip); }

const OpenOffer* Offers::OfTrip(const TripId& trip) const { return FindIn(of_trip_, trip); }

const v1::Offer* Offers::AnswerableBy(const DriverId& driver, Time now) {
  const OpenOffer* offer = OfDriver(driver);
  const bool can_answer =
      offer != nullptr && offer->state == OpenOffer::State::kOffered && now < offer->expires_at;
  return can_answer ? &offer->message : nullptr;
}

double Offers::AcceptanceOf(const DriverId& driver) const {
  constexpr double kAssumedOffers = 10;
  constexpr double kAssumedAccepted = 8.5;
  const auto history = histories_.find(driver);
  if (history == histories_.end()) return kAssumedAccepted / kAssumedOffers;
  return (kAssumedAccepted + history->second.accepted) /
         (kAssumedOffers + history->second.answered);
}

void Offers::SessionDropped(const DriverId& driver) {
  const auto history = histories_.find(driver);
  if (history != histories_.end()) history->second.ended.clear();
}

}  // namespace ridestream::dispatch
