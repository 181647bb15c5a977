#include "loadtest/report/report.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ridestream::loadtest {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(ReportTest, JsonHasTheKeysThatToolsRead) {
  Tally tally;
  tally.requested = 10;
  tally.completed = 4;
  tally.cancelled = 3;
  tally.unserved = 1;
  tally.positions_sent = 50;
  tally.positions_indexed = 49;
  tally.streams.Up();
  tally.streams.Up();
  tally.streams.Down();
  tally.streams_resumed = 1;
  tally.offer_push.Add(std::chrono::microseconds(1'500));
  tally.wait.Add(std::chrono::seconds(60));
  Verdict verdict;
  verdict.Looked(Check::kOfferEnded, 5);
  verdict.Violated(Check::kOfferEnded, "offer o-1 is open");
  const auto json = ToJson(MakeReport(tally, verdict, {.steps = 9, .implausible_steps = 2}));
  EXPECT_EQ(json["requested"], 10);
  EXPECT_EQ(json["completed"], 4);
  EXPECT_EQ(json["cancelled"], 3);
  EXPECT_EQ(json["unserved"], 1);
  EXPECT_EQ(json["open_at_end"], 2);
  EXPECT_EQ(json["positions_sent"], 50);
  EXPECT_EQ(json["positions_indexed"], 49);
  EXPECT_EQ(json["streams_peak"], 2);
  EXPECT_EQ(json["streams_resumed"], 1);
  for (const char* latency : {"request_to_offer", "offer_push", "plan_push", "reconnect"}) {
    for (const char* key : {"p50", "p99", "p999", "max", "count"}) {
      EXPECT_TRUE(json["latency_ms"][latency].contains(key)) << latency << "." << key;
    }
  }
  EXPECT_DOUBLE_EQ(json["latency_ms"]["offer_push"]["p50"], 1.5);
  EXPECT_EQ(json["latency_ms"]["offer_push"]["count"], 1);
  EXPECT_DOUBLE_EQ(json["wait_s"]["mean"], 60);
  EXPECT_NEAR(json["wait_s"]["p50"], 60, 0.06);
  EXPECT_NEAR(json["wait_s"]["p95"], 60, 0.06);
  EXPECT_EQ(json["steps"], 9);
  EXPECT_EQ(json["implausible_steps"], 2);
  EXPECT_EQ(json["audit"]["checked"], 5);
  EXPECT_EQ(json["audit"]["violations"], 1);
  EXPECT_EQ(json["audit"]["first"][0], "offer_ended: offer o-1 is open");
  EXPECT_EQ(json["audit"]["checks"]["offer_ended"]["looked_at"], 5);
}

TEST(ReportTest, TextEndsWithTheVerdict) {
  Tally tally;
  tally.requested = 1;
  Verdict verdict;
  verdict.Looked(Check::kPlanAcked, 7);
  EXPECT_THAT(ToText(MakeReport(tally, verdict)), HasSubstr("clean: 7 things checked"));
  verdict.Violated(Check::kPlanAcked, "plan 3");
  EXPECT_THAT(ToText(MakeReport(tally, verdict)), HasSubstr("! plan_acked: plan 3"));
  EXPECT_THAT(ToText(MakeReport(tally, verdict)), HasSubstr("NOT CLEAN: 7 things checked, 1 "));
}

TEST(ReportTest, TextSaysThatNothingWasAudited) {
  Verdict verdict;
  verdict.Close();
  const std::string text = ToText(MakeReport(Tally(), verdict));
  EXPECT_THAT(text, EndsWith("no request was made; lengthen --seconds\n"));
  EXPECT_THAT(text, Not(HasSubstr("violations")));

  Tally tally;
  tally.requested = 1;
  Report ended_early = MakeReport(tally, verdict);
  ended_early.is_unsettled = true;
  EXPECT_THAT(ToText(ended_early), HasSubstr("NOT AUDITED: the run was ended while"));
  EXPECT_THAT(ToText(ended_early), Not(HasSubstr("violations")));
  EXPECT_EQ(ToJson(ended_early)["is_unsettled"], true);
}

}  // namespace
}  // namespace ridestream::loadtest
