// A sample of the simulation's runs, and tests of the simulation itself: seeds determine runs, and
// planted mistakes are found.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <map>
#include <string>

#include "tests/sim/campaign.h"

namespace ridestream::sim {
namespace {

constexpr std::uint64_t kSeeds = 1'000;

class SimulationTest : public ::testing::Test {
 protected:
  // The adapters' logs are not under test.
  static void SetUpTestSuite() { spdlog::set_level(spdlog::level::off); }
};

TEST_F(SimulationTest, InvariantsHoldAndAllTripsEndUnderFaults) {
  const Campaign campaign = RunCampaign({.seeds = kSeeds});
  for (const RunResult& failed : campaign.failed) {
    ADD_FAILURE() << fmt::format("./ride sim --seed {} --steps {} --trace: {}", failed.seed,
                                 failed.steps_with_faults, failed.violation);
  }
  EXPECT_EQ(campaign.runs, kSeeds);
  // The checker has seen every kind of event.
  for (std::size_t i = 0; i < kFaultCount; ++i) {
    EXPECT_GT(campaign.faults[i], 0u) << Name(static_cast<Fault>(i));
  }
  for (const std::string what : {"offer",
                                 "unknown offer",
                                 "answer to an ended offer",
                                 "rejected",
                                 "OFFER_OUTCOME_ACCEPTED",
                                 "OFFER_OUTCOME_DECLINED",
                                 "OFFER_OUTCOME_EXPIRED",
                                 "OFFER_OUTCOME_RIDER_CANCELLED",
                                 "PLAN_CAUSE_RIDER_ADDED",
                                 "PLAN_CAUSE_RIDER_CANCELLED",
                                 "PLAN_CAUSE_DESTINATION_CHANGED",
                                 "PLAN_CAUSE_STOP_DONE",
                                 "PLAN_CAUSE_REASSIGNED",
                                 "PLAN_CAUSE_RESTORED",
                                 "DRIVER_STATUS_SUSPECT",
                                 "trip COMPLETED",
                                 "trip CANCELLED",
                                 "trip UNSERVED",
                                 "CANCEL_REASON_NO_SHOW",
                                 "CANCEL_REASON_DRIVER_LOST",
                                 "CANCEL_REASON_DRIVER_LOST by a service",
                                 "push",
                                 "goodbye",
                                 "turned away by a drain",
                                 "hello refused",
                                 "stuck stream broken off",
                                 "standby",
                                 "lease lost",
                                 "lease taken over",
                                 "shared request",
                                 "put into a plan under way",
                                 "moved to another car",
                                 "aboard with others",
                                 "freed capacity",
                                 "broken promise",
                                 "notified that it will be late"}) {
    EXPECT_TRUE(campaign.seen.contains(what)) << what;
  }
}

// In every run, a promise that is broken without a cause is a violation. These runs have no causes,
// so no promise may be broken at all.
TEST_F(SimulationTest, NoPromiseIsBrokenWithoutFaults) {
  std::map<std::string, std::uint64_t> seen;
  for (std::uint64_t seed = 1; seed <= 1'000; ++seed) {
    if (!Faults(seed).never()) continue;
    const RunResult result = sim::Run({.seed = seed});
    ASSERT_EQ(result.violation, "") << "seed " << seed;
    for (const auto& [what, count] : result.seen) seen[what] += count;
  }
  EXPECT_GT(seen["put into a plan under way"], 0u);
  EXPECT_GT(seen["moved to another car"], 0u);
  EXPECT_GT(seen["aboard with others"], 0u);
  EXPECT_EQ(seen["broken promise"], 0u);
}

TEST_F(SimulationTest, TheSameSeedGivesTheSameRunToTheBit) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    const RunResult first = sim::Run({.seed = seed});
    const RunResult second = sim::Run({.seed = seed});
    EXPECT_EQ(first.trace_hash, second.trace_hash) << "seed " << seed;
    EXPECT_EQ(first.steps, second.steps) << "seed " << seed;
    EXPECT_EQ(first.faults, second.faults) << "seed " << seed;
  }
}

TEST_F(SimulationTest, AnotherSeedGivesAnotherRun) {
  EXPECT_NE(sim::Run({.seed = 1, .steps = 300}).trace_hash,
            sim::Run({.seed = 2, .steps = 300}).trace_hash);
}

}  // namespace
}  // namespace ridestream::sim
