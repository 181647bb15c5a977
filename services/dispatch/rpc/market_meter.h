#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "libs/metrics/enum_counters.h"
#include "prometheus/counter.h"
#include "prometheus/histogram.h"
#include "prometheus/registry.h"
#include "services/dispatch/domain/events/market_events.h"
#include "services/dispatch/runner/market_runner.h"

namespace ridestream::dispatch {

/// Measures a market from outside by its events and decisions, so that the market itself doesn't
/// depend on metrics. Called by the market's worker; CommandEnded is called on any thread.
class MarketMeter final : public MarketRunner::Observer {
 public:
  MarketMeter(prometheus::Registry& registry, const std::string& market);

  void Handling(const Event&, Time) override {}
  void Decided(const std::vector<Decision>& decisions) override;
  void Handled(const Event& event, std::chrono::nanoseconds took) override;
  void CommandEnded(const std::string& command, absl::StatusCode code) override;

 private:
  using SteadyClock = std::chrono::steady_clock;

  void Count(const Decision& decision);

  const std::string market_;
  prometheus::Family<prometheus::Counter>& commands_;
  prometheus::Counter& offers_made_;
  metrics::EnumCounters<v1::OfferOutcome> offers_ended_;
  metrics::EnumCounters<v1::PlanCause> plans_;
  /// By the state to which the step leads.
  std::map<trip::v1::TripState, metrics::EnumCounters<trip::v1::StepPlausibility>> steps_;
  prometheus::Counter& waiting_places_;
  prometheus::Counter& rounds_answered_;
  prometheus::Counter& rounds_failed_;
  prometheus::Histogram& round_trips_;
  prometheus::Histogram& candidates_seconds_;
  prometheus::Histogram& matching_seconds_;
  prometheus::Counter& events_;
  prometheus::Counter& busy_seconds_;
  // Rounds whose candidates were requested and haven't been answered.
  std::map<std::uint64_t, SteadyClock::time_point> asked_at_;
};

}  // namespace ridestream::dispatch
