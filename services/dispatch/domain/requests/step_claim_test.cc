#include "services/dispatch/domain/requests/step_claim.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/proto_values/proto_values.h"
#include "services/dispatch/domain/market/testing/market_tester.h"

namespace ridestream::dispatch {
namespace {

using namespace std::chrono_literals;
using trip::v1::STEP_PLAUSIBILITY_FAR_FROM_STOP;
using trip::v1::STEP_PLAUSIBILITY_PLAUSIBLE;
using trip::v1::STEP_PLAUSIBILITY_TOO_SOON;
using trip::v1::STEP_PLAUSIBILITY_UNCHECKED;
using trip::v1::TRIP_STATE_ABOARD;
using trip::v1::TRIP_STATE_ARRIVED;
using trip::v1::TRIP_STATE_COMPLETED;

TEST(StepClaimTest, IsJudgedByWhereTheCarCanHaveDriven) {
  struct Case {
    const char* name;
    StepClaim claim;
    trip::v1::StepPlausibility plausibility;
    std::uint32_t distance_m;
  };
  constexpr auto kNever = std::nullopt;
  const Case cases[] = {
      {"at the stop", {TRIP_STATE_ARRIVED, 0, 0s}, STEP_PLAUSIBILITY_PLAUSIBLE, 0},
      {"as near as noise", {TRIP_STATE_ARRIVED, 250, 0s}, STEP_PLAUSIBILITY_PLAUSIBLE, 250},
      {"further", {TRIP_STATE_ARRIVED, 251, 0s}, STEP_PLAUSIBILITY_FAR_FROM_STOP, 251},
      {"picks up elsewhere",
       {TRIP_STATE_ABOARD, 1'700, 1s},
       STEP_PLAUSIBILITY_FAR_FROM_STOP,
       1'700},
      {"may have come since", {TRIP_STATE_ARRIVED, 530, 4s}, STEP_PLAUSIBILITY_PLAUSIBLE, 530},
      {"can't have come since",
       {TRIP_STATE_ARRIVED, 531, 4s},
       STEP_PLAUSIBILITY_FAR_FROM_STOP,
       531},
      {"not heard for long", {TRIP_STATE_ARRIVED, 8'000, 2min}, STEP_PLAUSIBILITY_PLAUSIBLE, 8'000},
      {"a position of later", {TRIP_STATE_ARRIVED, 251, -9s}, STEP_PLAUSIBILITY_FAR_FROM_STOP, 251},
      {"no position", {TRIP_STATE_ARRIVED, kNever, 0s}, STEP_PLAUSIBILITY_UNCHECKED, 0},
      {"no position at the drop-off",
       {TRIP_STATE_COMPLETED, kNever, 0s, 10min, 1'700},
       STEP_PLAUSIBILITY_UNCHECKED,
       0},
      {"a ride at the utmost speed",
       {TRIP_STATE_COMPLETED, 0, 0s, 10s, 700},
       STEP_PLAUSIBILITY_PLAUSIBLE,
       0},
      {"a ride beyond it",
       {TRIP_STATE_COMPLETED, 0, 0s, 10s, 701},
       STEP_PLAUSIBILITY_TOO_SOON,
       701},
      {"a ride beyond it without a position",
       {TRIP_STATE_COMPLETED, kNever, 0s, 30ms, 1'700},
       STEP_PLAUSIBILITY_TOO_SOON,
       1'700},
      {"a ride that began after its end",
       {TRIP_STATE_COMPLETED, 0, 0s, -1s, 1},
       STEP_PLAUSIBILITY_TOO_SOON,
       1},
      {"a ride round the corner",
       {TRIP_STATE_COMPLETED, 0, 0s, 0s, 0},
       STEP_PLAUSIBILITY_PLAUSIBLE,
       0},
      {"a ride of unknown begin",
       {TRIP_STATE_COMPLETED, 0, 0s, kNever, 99'000},
       STEP_PLAUSIBILITY_PLAUSIBLE,
       0},
      {"a pick-up isn't a ride",
       {TRIP_STATE_ABOARD, 0, 0s, 0s, 1'700},
       STEP_PLAUSIBILITY_PLAUSIBLE,
       0},
      {"gets out on the way",
       {TRIP_STATE_COMPLETED, 3'000, 1s, 10min, 5'000},
       STEP_PLAUSIBILITY_FAR_FROM_STOP,
       3'000},
  };
  for (const Case& c : cases) {
    const StepVerdict verdict = Judge(c.claim);
    EXPECT_EQ(verdict.plausibility, c.plausibility) << c.name;
    EXPECT_EQ(verdict.distance_m, c.distance_m) << c.name;
  }
}

/// A market whose driver says where it is and what it has done.
class StepsOfAMarketTest : public ::testing::Test {
 protected:
  void Begin(ImplausibleSteps what) {
    MarketConfig config = MarketTester::TestConfig();
    config.implausible_steps = what;
    market_.emplace(/*caught_up=*/true, config);
    market_->Connect("d-1");
    market_->AssignTrip("t-1", "d-1");
  }
  void ReportStep(v1::StopAction action, const std::string& trip = "t-1") {
    market_->Update("d-1", trip, action);
  }
  /// The steps that were judged since the last call.
  std::vector<StepJudged> Judged() { return market_->Take<StepJudged>(); }
  trip::v1::StepPlausibility PlausibilityOfOne() {
    const auto judged = Judged();
    EXPECT_EQ(judged.size(), 1u);
    return judged.empty() ? trip::v1::STEP_PLAUSIBILITY_UNSPECIFIED : judged[0].plausibility;
  }

  std::optional<MarketTester> market_;
};

TEST_F(StepsOfAMarketTest, StepsOfACarAtTheStopArePlausible) {
  Begin(ImplausibleSteps::kRefuse);
  market_->Move("d-1", MarketTester::kPickup);
  for (const auto action : {v1::STOP_ACTION_ARRIVED, v1::STOP_ACTION_PICKED_UP}) {
    ReportStep(action);
    EXPECT_EQ(PlausibilityOfOne(), STEP_PLAUSIBILITY_PLAUSIBLE);
    EXPECT_EQ(market_->CarryOut(), 1u);
    market_->DeliverLog();
  }
  market_->Pass(2min);
  market_->Move("d-1", MarketTester::kDropoff);
  ReportStep(v1::STOP_ACTION_DROPPED_OFF);
  EXPECT_EQ(PlausibilityOfOne(), STEP_PLAUSIBILITY_PLAUSIBLE);
}

TEST_F(StepsOfAMarketTest, AcceptsImplausibleStepsAndRecordsTheirPlausibility) {
  Begin(ImplausibleSteps::kCount);
  market_->Move("d-1", MarketTester::kCar);
  ReportStep(v1::STOP_ACTION_ARRIVED);
  EXPECT_EQ(PlausibilityOfOne(), STEP_PLAUSIBILITY_FAR_FROM_STOP);
  const auto commands = market_->Take<TripCommand>();
  ASSERT_EQ(commands.size(), 1u);
  const auto& advance = std::get<trip::v1::AdvanceTripRequest>(commands[0].request);
  EXPECT_EQ(advance.plausibility(), STEP_PLAUSIBILITY_FAR_FROM_STOP);
  EXPECT_NEAR(advance.distance_m(), DistanceM(MarketTester::kCar, MarketTester::kPickup), 1);
  market_->Handle(CommandDone{commands[0].command, market_->trips.Do(commands[0].request)});
  market_->DeliverLog();
  ReportStep(v1::STOP_ACTION_PICKED_UP);
  market_->CarryOut();
  market_->DeliverLog();
  (void)Judged();
  market_->Pass(30ms);
  ReportStep(v1::STOP_ACTION_DROPPED_OFF);
  EXPECT_EQ(PlausibilityOfOne(), STEP_PLAUSIBILITY_TOO_SOON);
  EXPECT_EQ(market_->CarryOut(), 1u);
}

TEST_F(StepsOfAMarketTest, AnImplausibleStepIsRefusedUntilTheCarIsThere) {
  Begin(ImplausibleSteps::kRefuse);
  market_->Move("d-1", MarketTester::kCar);
  ReportStep(v1::STOP_ACTION_ARRIVED);
  const auto judged = Judged();
  ASSERT_EQ(judged.size(), 1u);
  EXPECT_TRUE(judged[0].refused);
  EXPECT_THAT(market_->Take<TripCommand>(), ::testing::IsEmpty());
  const auto rejections = market_->Rejections("d-1");
  ASSERT_EQ(rejections.size(), 1u);
  EXPECT_EQ(rejections[0].code(), v1::REJECTION_CODE_FAILED_PRECONDITION);
  EXPECT_THAT(rejections[0].message(), ::testing::HasSubstr("m from this stop"));
  EXPECT_EQ(rejections[0].stop_update().trip_id(), "t-1");
  market_->Pass(1min);
  market_->Move("d-1", MarketTester::kPickup);
  ReportStep(v1::STOP_ACTION_ARRIVED);
  EXPECT_EQ(PlausibilityOfOne(), STEP_PLAUSIBILITY_PLAUSIBLE);
  EXPECT_EQ(market_->CarryOut(), 1u);
}

TEST_F(StepsOfAMarketTest, ARepeatIsNotCheckedAgain) {
  Begin(ImplausibleSteps::kCount);
  market_->Move("d-1", MarketTester::kPickup);
  ReportStep(v1::STOP_ACTION_ARRIVED);
  ReportStep(v1::STOP_ACTION_ARRIVED);
  EXPECT_EQ(Judged().size(), 1u) << "while it is under way";
  market_->CarryOut();
  market_->DeliverLog();
  ReportStep(v1::STOP_ACTION_ARRIVED);
  EXPECT_EQ(Judged().size(), 0u) << "when it is done";
}

TEST_F(StepsOfAMarketTest, StepsAreUncheckedAfterARestart) {
  Begin(ImplausibleSteps::kRefuse);
  market_->Move("d-1", MarketTester::kPickup);
  for (const auto action : {v1::STOP_ACTION_ARRIVED, v1::STOP_ACTION_PICKED_UP}) {
    ReportStep(action);
    market_->CarryOut();
    market_->DeliverLog();
  }
  market_->Restart();
  market_->DeliverLog();
  market_->Handle(LogCaughtUp{});
  market_->Connect("d-1");
  (void)Judged();
  ReportStep(v1::STOP_ACTION_DROPPED_OFF);
  EXPECT_EQ(PlausibilityOfOne(), STEP_PLAUSIBILITY_UNCHECKED);
  EXPECT_EQ(market_->CarryOut(), 1u);
}

}  // namespace
}  // namespace ridestream::dispatch
