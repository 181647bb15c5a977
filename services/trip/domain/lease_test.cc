#include "services/trip/domain/lease.h"

#include <gtest/gtest.h>

#include "libs/testing/status_matchers.h"

namespace ridestream::trip {
namespace {

using Kind = LeaseCommand::Kind;

const Time kToday{std::chrono::hours(1'000)};
const MarketId kCity("city");

LeaseCommand Asked(Kind kind, const std::string& holder, std::uint64_t term = 0) {
  return {.kind = kind,
          .market = kCity,
          .holder = holder,
          .term = term,
          .lasts = std::chrono::seconds(2)};
}
Lease HeldUntil(Time end) {
  return {.market = kCity, .holder = "a", .address = "a:7003", .term = 3, .ends_at = end};
}

TEST(LeaseRulesTest, LeaseWithAnImpossibleEndCanBeTakenAndItsHolderCanStillRenewIt) {
  // As after an edit by hand, or a clock that was set back.
  for (const Time end : {kToday + kLongestLease + Duration(1), Time::max() - kLongestLease, Time{},
                         Time::min() + Duration(1)}) {
    const LeaseDecision taken = Decide(Asked(Kind::kAcquire, "b"), HeldUntil(end), kToday);
    EXPECT_TRUE(taken.answer.held);
    EXPECT_EQ(taken.answer.lease.term, 4u);
    const LeaseDecision renewed = Decide(Asked(Kind::kRenew, "a", 3), HeldUntil(end), kToday);
    EXPECT_TRUE(renewed.answer.held);
    ASSERT_TRUE(renewed.write.has_value());
    EXPECT_EQ(renewed.write->ends_at, kToday + std::chrono::seconds(2));
  }
  const LeaseDecision refused =
      Decide(Asked(Kind::kAcquire, "b"), HeldUntil(kToday + kLongestLease), kToday);
  EXPECT_FALSE(refused.answer.held);
  EXPECT_FALSE(refused.write.has_value());
}

TEST(LeaseRulesTest, ManuallyRaisedTermFencesTheHolder) {
  Lease row = HeldUntil(kToday + std::chrono::seconds(1));
  row.term = 9;
  EXPECT_FALSE(Decide(Asked(Kind::kRenew, "a", 3), row, kToday).answer.held);
  EXPECT_THAT(CheckTerm(3, kCity, row),
              testing::StatusIs(absl::StatusCode::kFailedPrecondition, "term 3"));
  EXPECT_THAT(CheckTerm(9, kCity, row), testing::IsOk());
}

}  // namespace
}  // namespace ridestream::trip
