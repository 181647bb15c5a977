#include "services/dispatch/rpc/market_meter.h"

#include <gtest/gtest.h>

#include "libs/metrics/testing/scrape.h"
#include "prometheus/text_serializer.h"

namespace ridestream::dispatch {
namespace {

using namespace std::chrono_literals;
using metrics::testing::Metrics;
using metrics::testing::Sum;

class MarketMeterTest : public ::testing::Test {
 protected:
  Metrics Read() const {
    return *metrics::testing::ParseMetrics(
        prometheus::TextSerializer().Serialize(registry_.Collect()));
  }
  void EndOffer(v1::OfferOutcome outcome) {
    Push push{DriverId("d"), {}};
    push.message.mutable_offer_ended()->set_outcome(outcome);
    meter_.Decided({push});
  }

  prometheus::Registry registry_;
  MarketMeter meter_{registry_, "city"};
};

TEST_F(MarketMeterTest, CountsOffersByTheirOutcome) {
  Push offer{DriverId("d"), {}};
  offer.message.mutable_offer();
  for (int i = 0; i < 3; ++i) meter_.Decided({offer});
  EndOffer(v1::OFFER_OUTCOME_EXPIRED);
  EndOffer(v1::OFFER_OUTCOME_EXPIRED);
  EndOffer(v1::OFFER_OUTCOME_ALREADY_TAKEN);
  EndOffer(v1::OFFER_OUTCOME_UNSPECIFIED);
  const Metrics metrics = Read();
  EXPECT_EQ(Sum(metrics, "dispatch_offers_made_total", {{"market", "city"}}), 3);
  EXPECT_EQ(Sum(metrics, "dispatch_offers_ended_total", {{"outcome", "expired"}}), 2);
  EXPECT_EQ(Sum(metrics, "dispatch_offers_ended_total", {{"outcome", "already_taken"}}), 1);
  EXPECT_EQ(Sum(metrics, "dispatch_offers_ended_total"), 3);
}

TEST_F(MarketMeterTest, CountsPlansByTheirCause) {
  Push push{DriverId("d"), {}};
  push.message.mutable_plan()->set_cause(v1::PLAN_CAUSE_RIDER_CANCELLED);
  meter_.Decided({push});
  EXPECT_EQ(Sum(Read(), "dispatch_plans_total", {{"cause", "rider_cancelled"}}), 1);
}

TEST_F(MarketMeterTest, ARoundLastsFromItsQuestionToItsAnswer) {
  FindCandidates question{.round = 7, .queries = {}};
  question.queries.resize(5);
  meter_.Decided({question});
  meter_.Handled(CandidatesFound{7, std::vector<CandidatesFound::ForTrip>(5)}, 3ms);
  meter_.Decided({FindCandidates{.round = 8, .queries = {}}});
  meter_.Handled(CandidatesFound{8, absl::UnavailableError("location is away")}, 1ms);
  const Metrics metrics = Read();
  EXPECT_EQ(Sum(metrics, "dispatch_matching_rounds_total", {{"result", "answered"}}), 1);
  EXPECT_EQ(Sum(metrics, "dispatch_matching_rounds_total", {{"result", "failed"}}), 1);
  EXPECT_EQ(Sum(metrics, "dispatch_matching_seconds", {{"le", "0.005"}}), 2);
  EXPECT_EQ(Sum(metrics, "dispatch_matching_seconds", {{"le", "0.0025"}}), 1);
  EXPECT_EQ(Sum(metrics, "dispatch_matching_round_trips", {{"le", "4"}}), 1);
  EXPECT_EQ(Sum(metrics, "dispatch_matching_round_trips", {{"le", "8"}}), 2);
  EXPECT_EQ(Sum(metrics, "dispatch_matching_candidates_seconds", {{"le", "+Inf"}}), 2);
}

TEST_F(MarketMeterTest, AddsUpTheTimeOfAllEvents) {
  meter_.Handled(Wake{}, 250ms);
  meter_.Handled(LogCaughtUp{}, 500ms);
  const Metrics metrics = Read();
  EXPECT_EQ(Sum(metrics, "dispatch_market_busy_seconds_total"), 0.75);
  EXPECT_EQ(Sum(metrics, "dispatch_market_events_total"), 2);
}

TEST_F(MarketMeterTest, CountsCommandsByTripsAnswer) {
  meter_.CommandEnded("assign", absl::StatusCode::kOk);
  meter_.CommandEnded("assign", absl::StatusCode::kFailedPrecondition);
  const Metrics metrics = Read();
  EXPECT_EQ(Sum(metrics, "dispatch_trip_commands_total", {{"command", "assign"}, {"code", "OK"}}),
            1);
  EXPECT_EQ(Sum(metrics, "dispatch_trip_commands_total", {{"code", "FAILED_PRECONDITION"}}), 1);
}

}  // namespace
}  // namespace ridestream::dispatch
