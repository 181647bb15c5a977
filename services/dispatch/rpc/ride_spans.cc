#include "services/dispatch/rpc/ride_spans.h"

#include <algorithm>
#include <variant>

#include "libs/tracing/trace_context.h"

namespace ridestream::dispatch {
namespace {

bool HasEnded(trip::v1::TripState state) {
  return state == trip::v1::TRIP_STATE_COMPLETED || state == trip::v1::TRIP_STATE_CANCELLED ||
         state == trip::v1::TRIP_STATE_UNSERVED;
}

/// "accepted" for OFFER_OUTCOME_ACCEPTED.
std::string Lower(std::string_view name, std::string_view prefix) {
  if (name.starts_with(prefix)) name.remove_prefix(prefix.size());
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return lower;
}

std::string NameOf(v1::OfferOutcome outcome) {
  return Lower(v1::OfferOutcome_Name(outcome), "OFFER_OUTCOME_");
}

/// The trips that a plan is about: those of its stops, and those of the commands that it answers.
std::set<std::string> TripsOf(const v1::Plan& plan) {
  std::set<std::string> trips;
  for (const v1::Stop& stop : plan.stops()) trips.insert(stop.trip_id());
  for (const v1::AnsweredCommand& answer : plan.answers()) {
    if (answer.has_stop_update()) trips.insert(answer.stop_update().trip_id());
  }
  return trips;
}

}  // namespace

RideSpans::RideSpans(const tracing::Tracer& tracer, std::string market)
    : tracer_(tracer), market_(std::move(market)) {}

RideSpans::PushKey RideSpans::KeyOf(const DriverId& driver, const v1::DriveResponse& push) {
  if (push.has_offer()) return {driver.str(), push.offer().offer_id()};
  if (push.has_offer_ended()) return {driver.str(), push.offer_ended().offer_id()};
  return {driver.str(), std::to_string(push.plan().version())};
}

RideSpans::Ride* RideSpans::Sampled(const std::string& trip_id) {
  const auto found = rides_.find(trip_id);
  return found == rides_.end() || !found->second.request.sampled ? nullptr : &found->second;
}

tracing::Span RideSpans::Start(std::string_view name, const tracing::SpanContext& parent,
                               const std::string& trip_id, std::optional<Time> start) const {
  tracing::Span span = tracer_.Start(name, {.parent = parent, .start = start});
  span.SetAttribute("ridestream.market", market_);
  span.SetAttribute("ridestream.trip.id", trip_id);
  return span;
}

// The trip log.

void RideSpans::OnRead(const trip::v1::TripEvent& event) {
  const trip::v1::Trip& trip = event.trip();
  if (trip.traceparent().empty() || HasEnded(trip.state())) return;
  MutexLock lock(mu_);
  auto found = rides_.find(trip.trip_id());
  if (found == rides_.end()) {
    const auto context = tracing::ParseTraceContext(trip.traceparent());
    if (!context) return;
    found = rides_.try_emplace(trip.trip_id(), Ride{*context}).first;
  }
  if (trip.state() == trip::v1::TRIP_STATE_REQUESTED && trip.version() > found->second.version) {
    found->second.read_at = tracer_.Now();
  }
}

void RideSpans::Note(const trip::v1::Trip& trip) {
  const auto found = rides_.find(trip.trip_id());
  if (found == rides_.end()) return;
  Ride& ride = found->second;
  if (HasEnded(trip.state())) {
    ended_ = trip.trip_id();
  } else if (trip.version() > ride.version) {
    ride.version = trip.version();
    if (trip.state() == trip::v1::TRIP_STATE_REQUESTED) {
      ride.waits_since = tracer_.Now();
    } else {
      ride.waits_since = ride.read_at = std::nullopt;
    }
  }
}

// The market.

void RideSpans::Handling(const Event& event, Time) {
  // By far the most events, and of no ride's trace.
  if (std::holds_alternative<DriverMoved>(event)) return;
  MutexLock lock(mu_);
  found_ = std::get_if<CandidatesFound>(&event);
  if (const auto* answered = std::get_if<OfferAnswered>(&event)) OnAnswer(*answered);
  if (const auto* dropped = std::get_if<SessionDropped>(&event)) {
    Drop(dropped->driver);
    Withdraw(dropped->driver);
  }
  if (const auto* connected = std::get_if<DriverConnected>(&event)) {
    if (!connected->resumed) Drop(connected->driver);
  }
  if (const auto* logged = std::get_if<TripLogged>(&event)) Note(logged->event.trip());
  if (const auto* done = std::get_if<CommandDone>(&event)) {
    if (done->trip.ok()) Note(*done->trip);
  }
}

void RideSpans::Decided(const std::vector<Decision>& decisions) {
  if (found_ == nullptr && decisions.empty()) return;
  MutexLock lock(mu_);
  if (found_ != nullptr) End(*found_, decisions);
  found_ = nullptr;
  for (const Decision& decision : decisions) {
    if (const auto* push = std::get_if<Push>(&decision)) OnPush(*push);
    if (const auto* round = std::get_if<FindCandidates>(&decision)) Begin(*round);
  }
}

void RideSpans::Handled(const Event&, std::chrono::nanoseconds) {
  if (ended_.empty()) return;
  MutexLock lock(mu_);
  const auto found = rides_.find(std::exchange(ended_, ""));
  if (found == rides_.end()) return;
  offers_.erase(found->second.offer_id);
  rides_.erase(found);
}

// Rounds.

void RideSpans::Begin(const FindCandidates& round) {
  round_.reset();  // A round that nobody answered has ended by now.
  Round began{.number = round.round, .span = {}, .began_at = tracer_.Now(), .trips = {}};
  std::vector<tracing::SpanLink> links;
  for (const FindCandidates::Query& query : round.queries) {
    Ride* const ride = Sampled(query.trip.str());
    if (ride == nullptr) continue;
    links.push_back({ride->request});
    began.trips.push_back(query.trip.str());
    if (ride->read_at && ride->waits_since) {
      Start("ridestream.ride.queue", ride->request, query.trip.str(), ride->read_at)
          .EndAt(*ride->waits_since);
    }
    if (ride->waits_since) {
      Start("ridestream.ride.wait", ride->request, query.trip.str(), ride->waits_since)
          .EndAt(began.began_at);
    }
    ride->read_at = ride->waits_since = std::nullopt;
  }
  if (links.empty()) return;
  began.span = tracer_.Start("ridestream.matching.round", {.links = std::move(links)});
  began.span.SetAttribute("ridestream.market", market_);
  began.span.SetAttribute("ridestream.round.trips",
                          static_cast<std::int64_t>(round.queries.size()));
  round_ = std::move(began);
}

void RideSpans::End(const CandidatesFound& found, const std::vector<Decision>& decisions) {
  if (!round_ || round_->number != found.round) return;
  std::map<std::string, std::string> outcomes;
  for (const Decision& decision : decisions) {
    if (const auto* push = std::get_if<Push>(&decision); push && push->message.has_offer()) {
      outcomes[push->message.offer().trip_id()] = "offered";
    } else if (const auto* command = std::get_if<TripCommand>(&decision)) {
      if (const auto* assign = std::get_if<trip::v1::AssignTripRequest>(&command->request)) {
        outcomes[assign->trip_id()] = "inserted";
      }
    }
  }
  std::map<std::string, std::int64_t> candidates;
  if (found.trips.ok()) {
    for (const CandidatesFound::ForTrip& each : *found.trips) {
      candidates[each.trip.str()] =
          static_cast<std::int64_t>(each.candidates.size() + each.insertions.size());
    }
  } else {
    round_->span.SetStatus(tracing::SpanStatus::kError, found.trips.status().ToString());
  }
  for (const std::string& trip : round_->trips) {
    Ride* const ride = Sampled(trip);
    if (ride == nullptr) continue;
    tracing::Span part = Start("ridestream.ride.round", ride->request, trip, round_->began_at);
    part.AddLink(round_->span.context());
    part.SetAttribute("ridestream.round.candidates", candidates[trip]);
    const auto outcome = outcomes.find(trip);
    part.SetAttribute("ridestream.round.outcome",
                      outcome == outcomes.end() ? std::string("waits") : outcome->second);
    if (outcome == outcomes.end()) ride->waits_since = tracer_.Now();
  }
  round_.reset();
}

// Offers and plans.

void RideSpans::OnPush(const Push& push) {
  if (push.message.has_offer()) {
    Make(push.driver, push.message.offer());
  } else if (push.message.has_offer_ended()) {
    End(push.message.offer_ended());
  } else if (push.message.has_plan()) {
    const v1::Plan& plan = push.message.plan();
    // A car's way changes with the streets, however often, and a restored plan is no news.
    if (plan.cause() == v1::PLAN_CAUSE_REROUTED || plan.cause() == v1::PLAN_CAUSE_RESTORED) return;
    for (const std::string& trip : TripsOf(plan)) {
      if (const Ride* ride = Sampled(trip)) {
        unacked_.emplace(KeyOf(push.driver, push.message),
                         Unacked{ride->request, trip, tracer_.Now()});
      }
    }
  }
}

void RideSpans::Make(const DriverId& driver, const v1::Offer& offer) {
  Ride* const ride = Sampled(offer.trip_id());
  if (ride == nullptr) return;
  Offer made{.trip_id = offer.trip_id(), .driver = driver, .span = {}, .made_at = tracer_.Now()};
  made.span = Start("ridestream.ride.offer", ride->request, offer.trip_id(), made.made_at);
  made.span.SetAttribute("ridestream.offer.id", offer.offer_id());
  made.span.SetAttribute("ridestream.driver.id", driver.str());
  unacked_.emplace(PushKey(driver.str(), offer.offer_id()),
                   Unacked{made.span.context(), offer.trip_id(), made.made_at});
  ride->offer_id = offer.offer_id();
  offers_.insert_or_assign(offer.offer_id(), std::move(made));
}

void RideSpans::OnAnswer(const OfferAnswered& answered) {
  const auto offer = offers_.find(answered.answer.offer_id());
  if (offer == offers_.end() || offer->second.driver != answered.driver) return;
  EndAnswer(offer->second, answered.answer.accept() ? "accepted" : "declined");
}

void RideSpans::EndAnswer(Offer& offer, const std::string& outcome) const {
  if (std::exchange(offer.was_answered, true)) return;
  tracing::Span answer = tracer_.Start("ridestream.offer.answer",
                                       {.parent = offer.span.context(), .start = offer.made_at});
  answer.SetAttribute("ridestream.offer.outcome", outcome);
}

void RideSpans::End(const v1::OfferEnded& ended) {
  const auto offer = offers_.find(ended.offer_id());
  Ride* const ride = Sampled(ended.trip_id());
  if (ride == nullptr || offer == offers_.end()) return;
  const std::string outcome = NameOf(ended.outcome());
  EndAnswer(offer->second, outcome);
  offer->second.span.SetAttribute("ridestream.offer.outcome", outcome);
  offers_.erase(offer);
  ride->offer_id.clear();
  if (ended.outcome() != v1::OFFER_OUTCOME_ACCEPTED) ride->waits_since = tracer_.Now();
}

void RideSpans::OnAck(const DriverId& driver, const v1::DriveResponse& push) {
  if (!push.has_offer() && !push.has_offer_ended() && !push.has_plan()) return;
  MutexLock lock(mu_);
  const auto [first, last] = unacked_.equal_range(KeyOf(driver, push));
  // An offer that ran out is sent again as its end, under its number: it never arrived.
  for (auto each = first; each != last && !push.has_offer_ended(); ++each) {
    const Unacked& unacked = each->second;
    tracing::Span span = Start(push.has_offer() ? "ridestream.offer.push" : "ridestream.plan.push",
                               unacked.parent, unacked.trip_id, unacked.pushed_at);
    if (push.has_plan()) {
      span.SetAttribute("ridestream.plan.cause",
                        Lower(v1::PlanCause_Name(push.plan().cause()), "PLAN_CAUSE_"));
    }
  }
  unacked_.erase(first, last);
}

void RideSpans::Drop(const DriverId& driver) {
  const auto first = unacked_.lower_bound({driver.str(), ""});
  auto last = first;
  while (last != unacked_.end() && last->first.first == driver.str()) ++last;
  unacked_.erase(first, last);
}

void RideSpans::Withdraw(const DriverId& driver) {
  for (auto each = offers_.begin(); each != offers_.end();) {
    if (each->second.driver != driver) {
      ++each;
      continue;
    }
    const std::string outcome = "withdrawn";
    EndAnswer(each->second, outcome);
    each->second.span.SetAttribute("ridestream.offer.outcome", outcome);
    Ride* const ride = Sampled(each->second.trip_id);
    if (ride != nullptr && ride->offer_id == each->first) {
      ride->offer_id.clear();
      ride->waits_since = tracer_.Now();
    }
    each = offers_.erase(each);
  }
}

// Contexts for calls.

std::string RideSpans::TraceOf(const std::string& trip_id) const {
  MutexLock lock(mu_);
  const auto found = rides_.find(trip_id);
  if (found == rides_.end()) return "";
  const Ride& ride = found->second;
  const auto offer = offers_.find(ride.offer_id);
  return tracing::FormatTraceParent(offer == offers_.end() ? ride.request
                                                           : offer->second.span.context());
}

std::string RideSpans::TraceOfRound(std::uint64_t round) const {
  MutexLock lock(mu_);
  if (!round_ || round_->number != round) return "";
  return tracing::FormatTraceParent(round_->span.context());
}

}  // namespace ridestream::dispatch
