#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "libs/base/mutex.h"
#include "libs/roads/streets.h"
#include "ridestream/location/v1/location.grpc.pb.h"
#include "services/dispatch/domain/market_events.h"
#include "services/dispatch/streets/round_search.h"

namespace ridestream::dispatch {

struct PlannerConfig {
  /// Drivers that location is asked for, for each trip.
  std::uint32_t candidates = 16;
  /// Drivers further than this from the pick-up are no candidates.
  Duration max_pickup_time = std::chrono::minutes(10);
  /// Plans under way that are considered for a rider who shares.
  std::size_t insertions = 8;
};

/// Answers a market's questions about the world: who is near, how long they need, which way to go.
/// Location is asked asynchronously; the streets on a thread of its own, since a route may take a
/// millisecond, and a market must not wait for it. Routes go first: a driver waits for each, while
/// a round of candidates, which may take long, is worked through piece by piece. Thread-safe.
class Planner {
 public:
  using Answer = std::function<void(Event)>;

  Planner(const PlannerConfig& config, std::string market, const roads::Streets& streets,
          location::v1::LocationService::StubInterface& location, Answer answer);
  /// Ends the thread; questions that wait get no answer. Calls under way to location must have
  /// ended.
  ~Planner();

  /// `request_ids` are those of requests from outside on whose behalf it is asked.
  void Find(FindCandidates question, const std::vector<std::string>& request_ids = {});
  void Find(FindRoute question);

 private:
  struct Round;

  void OnNearest(std::shared_ptr<Round> round, const grpc::Status& status);
  void Run();
  void Begin(Round& round);

  const PlannerConfig config_;
  const std::string market_;
  const roads::Streets& streets_;
  location::v1::LocationService::StubInterface& location_;
  const Answer answer_;
  /// Of the thread's alone.
  RoundSearch search_;

  Mutex mu_;
  CondVar changed_;
  // Bounded by the market, which has one route a driver and one round under way.
  std::deque<FindRoute> routes_ ABSL_GUARDED_BY(mu_);
  std::deque<std::shared_ptr<Round>> rounds_ ABSL_GUARDED_BY(mu_);
  int asking_ ABSL_GUARDED_BY(mu_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace ridestream::dispatch
