// A market in disorder, from a seed. RIDESTREAM_SEED=17 runs that one seed again.

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "services/dispatch/domain/market/testing/market_simulation.h"

namespace ridestream::dispatch {
namespace {

constexpr int kSteps = 3'000;

std::vector<std::uint64_t> Seeds() {
  if (const char* seed = std::getenv("RIDESTREAM_SEED")) return {std::stoull(seed)};
  std::vector<std::uint64_t> seeds;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) seeds.push_back(seed);
  return seeds;
}

/// Stops at the first violation, so that its cause is the last thing that happened.
void Disturb(MarketSimulation& simulation, int steps) {
  for (int step = 0; step < steps; ++step) {
    simulation.Disturb();
    if (!simulation.checker().violations().empty()) {
      FAIL() << "step " << step << ": " << simulation.checker().violations().front();
    }
  }
}

TEST(MarketRandomTest, InvariantsHoldAndEveryTripEndsInRandomRuns) {
  std::map<std::string, int> seen;
  for (const std::uint64_t seed : Seeds()) {
    SCOPED_TRACE("RIDESTREAM_SEED=" + std::to_string(seed));
    MarketSimulation simulation(seed);
    Disturb(simulation, kSteps);
    if (HasFatalFailure()) return;
    simulation.Calm();
    ASSERT_TRUE(simulation.checker().violations().empty())
        << "in the calm: " << simulation.checker().violations().front();
    ASSERT_EQ(simulation.OpenTrips(), "") << "they wait forever";
    for (const auto& [what, count] : simulation.checker().seen()) seen[what] += count;
  }
  if (Seeds().size() == 1) return;
  // The checker has looked at every kind of thing.
  for (const std::string what : {"offer",
                                 "offer in a snapshot",
                                 "unknown offer",
                                 "rejected",
                                 "end of a session",
                                 "surge",
                                 "waiting place",
                                 "OFFER_OUTCOME_ACCEPTED",
                                 "OFFER_OUTCOME_DECLINED",
                                 "OFFER_OUTCOME_EXPIRED",
                                 "OFFER_OUTCOME_RIDER_CANCELLED",
                                 "OFFER_OUTCOME_ALREADY_TAKEN",
                                 "OFFER_OUTCOME_WITHDRAWN",
                                 "PLAN_CAUSE_RIDER_ADDED",
                                 "PLAN_CAUSE_RIDER_CANCELLED",
                                 "PLAN_CAUSE_DESTINATION_CHANGED",
                                 "PLAN_CAUSE_STOP_DONE",
                                 "PLAN_CAUSE_REROUTED",
                                 "PLAN_CAUSE_REASSIGNED",
                                 "PLAN_CAUSE_RESTORED",
                                 "DRIVER_STATE_IDLE",
                                 "DRIVER_STATE_OFFERED",
                                 "DRIVER_STATE_EN_ROUTE",
                                 "DRIVER_STATE_OCCUPIED",
                                 "DRIVER_STATE_OFFLINE",
                                 "DRIVER_STATUS_CONNECTED",
                                 "DRIVER_STATUS_SUSPECT",
                                 "command 0",
                                 "command 1",
                                 "command 2",
                                 "command 3"}) {
    EXPECT_GT(seen[what], 0) << what;
    RecordProperty(what, seen[what]);
  }
}

TEST(MarketRandomTest, TheSameSeedGivesTheSameDecisions) {
  for (const std::uint64_t seed : Seeds()) {
    if (seed > 5 && Seeds().size() > 1) break;
    SCOPED_TRACE("RIDESTREAM_SEED=" + std::to_string(seed));
    MarketSimulation first(seed);
    MarketSimulation second(seed);
    Disturb(first, kSteps);
    Disturb(second, kSteps);
    if (HasFatalFailure()) return;
    EXPECT_GT(first.transcript().size(), 50'000u);
    EXPECT_TRUE(first.transcript() == second.transcript());
  }
}

TEST(MarketRandomTest, AnotherSeedGivesOthers) {
  MarketSimulation first(1);
  MarketSimulation second(2);
  Disturb(first, 200);
  Disturb(second, 200);
  EXPECT_FALSE(first.transcript() == second.transcript());
}

}  // namespace
}  // namespace ridestream::dispatch
