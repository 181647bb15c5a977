#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/mutex.h"
#include "libs/base/worker.h"
#include "libs/roads/streets.h"
#include "services/dispatch/candidates/round_search.h"
#include "services/dispatch/domain/events/market_events.h"
#include "services/dispatch/runner/location_port.h"

namespace ridestream::dispatch {

struct PlannerConfig {
  /// Candidates that location is asked for, for each trip.
  std::uint32_t candidates = 16;
  /// Longest travel time of a candidate to the pick-up.
  Duration max_pickup_time = std::chrono::minutes(10);
  /// Plans under way that are considered for a rider who shares.
  std::size_t insertions = 8;
};

/// Answers a market's questions about the world: who is near, how long they need, which way to go.
/// Location is asked asynchronously; the streets by a worker of its own, since a route may take a
/// millisecond, and a market must not wait for it. Routes go first: a driver waits for each, while
/// a round of candidates, which may take long, is worked through piece by piece. Thread-safe.
class Planner {
 public:
  using Answer = std::function<void(Event)>;

  /// `streets` and `executor` must outlive it. `answer` is called by the worker, or by location.
  Planner(const PlannerConfig& config, std::string market, const roads::Streets& streets,
          std::unique_ptr<LocationPort> location, Executor& executor, Answer answer);
  /// Questions that wait get no answer.
  ~Planner();

  /// Trips beyond those that location answers in one call get no answer. `request_ids` are
  /// those of requests from outside on whose behalf it is asked; for `traceparent` see CallOptions.
  void Find(FindCandidates question, const std::vector<std::string>& request_ids = {},
            const std::string& traceparent = {});
  void Find(FindRoute question);

 private:
  /// A round of candidates: first location's answer is awaited, then it is worked through.
  struct Round {
    FindCandidates question;
    location::v1::FindNearestResponse response;
    bool begun = false;
  };

  void OnNearest(FindCandidates question,
                 absl::StatusOr<location::v1::FindNearestResponse> response);
  void Enqueue(std::unique_ptr<Round> round);
  std::optional<std::chrono::nanoseconds> Work();
  void Begin(Round& round);

  const PlannerConfig config_;
  const std::string market_;
  const roads::Streets& streets_;
  const Answer answer_;
  /// Used by the worker alone.
  RoundSearch search_;

  Mutex mu_;
  // Bounded by the market, which has one route a driver and one round under way.
  std::deque<FindRoute> routes_ ABSL_GUARDED_BY(mu_);
  std::deque<std::unique_ptr<Round>> rounds_ ABSL_GUARDED_BY(mu_);

  // In this order: location's answers wake the worker.
  std::unique_ptr<Worker> worker_;
  std::unique_ptr<LocationPort> location_;
};

}  // namespace ridestream::dispatch
