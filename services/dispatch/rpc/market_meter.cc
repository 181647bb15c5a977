#include "services/dispatch/rpc/market_meter.h"

#include <variant>

#include "absl/status/status.h"
#include "libs/base/invariant.h"
#include "libs/metrics/buckets.h"
#include "prometheus/family.h"

namespace ridestream::dispatch {
namespace {

using prometheus::Registry;

prometheus::Family<prometheus::Counter>& Counters(Registry& registry, const std::string& name,
                                                  const std::string& help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

prometheus::Histogram& Histogram(Registry& registry, const std::string& name,
                                 const std::string& help, const std::string& market,
                                 prometheus::Histogram::BucketBoundaries bounds) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry).Add(
      {{"market", market}}, std::move(bounds));
}

std::map<trip::v1::TripState, metrics::EnumCounters<trip::v1::StepPlausibility>> StepCounters(
    Registry& registry, const std::string& market) {
  auto& family = Counters(registry, "dispatch_steps_total",
                          "Steps that drivers reported, by whether their cars' positions agree");
  std::map<trip::v1::TripState, metrics::EnumCounters<trip::v1::StepPlausibility>> counters;
  for (const auto& [to, step] : {std::pair(trip::v1::TRIP_STATE_ARRIVED, "arrived"),
                                 std::pair(trip::v1::TRIP_STATE_ABOARD, "aboard"),
                                 std::pair(trip::v1::TRIP_STATE_COMPLETED, "completed")}) {
    counters.try_emplace(to, family, "plausibility",
                         prometheus::Labels{{"market", market}, {"step", step}});
  }
  return counters;
}

std::chrono::duration<double> Seconds(std::chrono::nanoseconds took) { return took; }

}  // namespace

MarketMeter::MarketMeter(Registry& registry, const std::string& market)
    : market_(market),
      commands_(Counters(registry, "dispatch_trip_commands_total",
                         "Finished commands to trip, by trip's response")),
      offers_made_(Counters(registry, "dispatch_offers_made_total", "Offers made to drivers")
                       .Add({{"market", market}})),
      offers_ended_(
          Counters(registry, "dispatch_offers_ended_total", "Offers that ended, by their outcome"),
          "outcome", {{"market", market}}),
      plans_(Counters(registry, "dispatch_plans_total", "Plans pushed to drivers, by their cause"),
             "cause", {{"market", market}}),
      steps_(StepCounters(registry, market)),
      waiting_places_(Counters(registry, "dispatch_waiting_places_total",
                               "Suggestions to idle drivers where to wait")
                          .Add({{"market", market}})),
      rounds_answered_(Counters(registry, "dispatch_matching_rounds_total",
                                "Matching rounds, by whether their candidates were found")
                           .Add({{"market", market}, {"result", "answered"}})),
      rounds_failed_(Counters(registry, "dispatch_matching_rounds_total",
                              "Matching rounds, by whether their candidates were found")
                         .Add({{"market", market}, {"result", "failed"}})),
      round_trips_(Histogram(registry, "dispatch_matching_round_trips",
                             "Waiting trips in a matching round", market, metrics::SizeOfABatch())),
      candidates_seconds_(Histogram(registry, "dispatch_matching_candidates_seconds",
                                    "From a round's start until its candidates and their travel "
                                    "times are known, in seconds",
                                    market, metrics::SecondsOfACall())),
      matching_seconds_(
          Histogram(registry, "dispatch_matching_seconds",
                    "Time that the market's thread spends on a round's candidates, in seconds",
                    market, metrics::SecondsOfACall())),
      events_(Counters(registry, "dispatch_market_events_total", "Events that a market processed")
                  .Add({{"market", market}})),
      busy_seconds_(Counters(registry, "dispatch_market_busy_seconds_total",
                             "Busy time of a market's thread, in seconds")
                        .Add({{"market", market}})) {}

void MarketMeter::Decided(const std::vector<Decision>& decisions) {
  for (const Decision& decision : decisions) Count(decision);
}

void MarketMeter::Count(const Decision& decision) {
  if (const auto* push = std::get_if<Push>(&decision)) {
    if (push->message.has_offer()) offers_made_.Increment();
    if (push->message.has_offer_ended()) offers_ended_.Count(push->message.offer_ended().outcome());
    if (push->message.has_waiting_place()) waiting_places_.Increment();
    if (push->message.has_plan()) plans_.Count(push->message.plan().cause());
  } else if (const auto* round = std::get_if<FindCandidates>(&decision)) {
    round_trips_.Observe(static_cast<double>(round->queries.size()));
    asked_at_[round->round] = SteadyClock::now();
  } else if (const auto* judged = std::get_if<StepJudged>(&decision)) {
    const auto counters = steps_.find(judged->to);
    if (RIDESTREAM_INVARIANT(counters != steps_.end(), "a step is arrived, aboard or completed")) {
      counters->second.Count(judged->plausibility);
    }
  }
}

void MarketMeter::Handled(const Event& event, std::chrono::nanoseconds took) {
  events_.Increment();
  busy_seconds_.Increment(Seconds(took).count());
  const auto* found = std::get_if<CandidatesFound>(&event);
  if (found == nullptr) return;
  (found->trips.ok() ? rounds_answered_ : rounds_failed_).Increment();
  matching_seconds_.Observe(Seconds(took).count());
  const auto asked = asked_at_.find(found->round);
  if (asked == asked_at_.end()) return;
  candidates_seconds_.Observe(Seconds(SteadyClock::now() - asked->second - took).count());
  asked_at_.erase(asked);
}

void MarketMeter::CommandEnded(const std::string& command, absl::StatusCode code) {
  commands_
      .Add({{"market", market_}, {"command", command}, {"code", absl::StatusCodeToString(code)}})
      .Increment();
}

}  // namespace ridestream::dispatch
