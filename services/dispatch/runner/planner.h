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
  /// Number of candidates requested from location for each trip.
  std::uint32_t candidates = 16;
  /// Longest travel time of a candidate to the pick-up.
  Duration max_pickup_time = std::chrono::minutes(10);
  /// Maximum number of plans in progress considered for a rider who shares.
  std::size_t insertions = 8;
};

/// Answers a market's questions: which drivers are near, how long they take, and which route to
/// drive. Location is queried asynchronously. A worker computes on the street map, since a route
/// may take a millisecond, for which a market must not wait. Routes go first, since a driver waits
/// for each, while a round of candidates may take long and is computed in small steps. Thread-safe.
class Planner {
 public:
  using Answer = std::function<void(Event)>;

  /// `streets` and `executor` must outlive this object. `answer` is called by the worker, or by
  /// location's thread.
  Planner(const PlannerConfig& config, std::string market, const roads::Streets& streets,
          std::unique_ptr<LocationPort> location, Executor& executor, Answer answer);
  /// Pending questions get no answer.
  ~Planner();

  /// Trips beyond those that location answers in one call get no answer. `request_ids` are
  /// those of requests from outside on whose behalf it is asked; for `traceparent` see CallOptions.
  void Find(FindCandidates question, const std::vector<std::string>& request_ids = {},
            const std::string& traceparent = {});
  void Find(FindRoute question);

 private:
  /// A round of candidates: waits for location's answer, then is computed in steps.
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
  /// Used by the worker only.
  RoundSearch search_;

  Mutex mu_;
  // Bounded by the market, which has at most one route for each driver and one round in progress.
  std::deque<FindRoute> routes_ ABSL_GUARDED_BY(mu_);
  std::deque<std::unique_ptr<Round>> rounds_ ABSL_GUARDED_BY(mu_);

  // Declared in this order, since location's answers wake the worker.
  std::unique_ptr<Worker> worker_;
  std::unique_ptr<LocationPort> location_;
};

}  // namespace ridestream::dispatch
