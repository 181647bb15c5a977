#include "loadtest/driver/offer_responder.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "libs/proto_values/proto_values.h"

namespace ridestream::loadtest {

using Answer = OfferHistory::Answer;

void OfferResponder::OnOffer(const dispatch::v1::Offer& offer, bool may_accept, Time now,
                             Random& random, DriverHistory& history) {
  for (const Open& open : open_) {
    if (open.offer_id == offer.offer_id()) return;
    history.Violated(Check::kOneOpenOffer, fmt::format("offer {} came while {} was open",
                                                       offer.offer_id(), open.offer_id));
  }
  Open open{offer.offer_id(), history.offers.size(), Answer::kNone, Time::max()};
  const double draw = random.Unit();
  const Duration think = random.Between(habits_.think_min, habits_.think_max);
  if (!may_accept) {
    open.answer = Answer::kDecline;
    open.answer_at = now;
  } else if (draw < habits_.accept_probability + habits_.decline_probability) {
    open.answer = draw < habits_.accept_probability ? Answer::kAccept : Answer::kDecline;
    open.answer_at = now + think;
  }
  history.offers.push_back({.offer_id = OfferId(offer.offer_id()),
                            .trip_id = TripId(offer.trip_id()),
                            .decided_at = FromProto(offer.decided_at())});
  open_.push_back(std::move(open));
}

void OfferResponder::OnEnded(const dispatch::v1::OfferEnded& ended, DriverHistory& history) {
  std::erase_if(open_, [&](const Open& open) { return open.offer_id == ended.offer_id(); });
  // The offer may be missing: it may have been made and ended while the driver was away.
  for (auto offer = history.offers.rbegin(); offer != history.offers.rend(); ++offer) {
    if (offer->offer_id.str() != ended.offer_id()) continue;
    // An offer that was voided with its session but answered anyway doesn't end twice.
    if (offer->ends > 0 && offer->outcome != ended.outcome()) offer->ends_differ = true;
    ++offer->ends;
    offer->outcome = ended.outcome();
    return;
  }
}

void OfferResponder::Void(const std::string& kept_offer_id, DriverHistory& history) {
  std::erase_if(open_, [&](const Open& open) {
    if (open.offer_id == kept_offer_id) return false;
    history.offers[open.history].voided = true;
    return true;
  });
}

void OfferResponder::OnResumed() {
  for (Open& open : open_) open.answered = false;
}

std::vector<dispatch::v1::OfferAnswer> OfferResponder::OnTime(Time now, DriverHistory& history) {
  std::vector<dispatch::v1::OfferAnswer> answers;
  for (Open& open : open_) {
    if (open.answered || open.answer == Answer::kNone || now < open.answer_at) continue;
    open.answered = true;
    history.offers[open.history].answer = open.answer;
    ++history.offers[open.history].answers;
    dispatch::v1::OfferAnswer& answer = answers.emplace_back();
    answer.set_offer_id(open.offer_id);
    answer.set_accept(open.answer == Answer::kAccept);
  }
  return answers;
}

Time OfferResponder::wake_at() const {
  Time wake = Time::max();
  for (const Open& open : open_) {
    if (!open.answered) wake = std::min(wake, open.answer_at);
  }
  return wake;
}

}  // namespace ridestream::loadtest
