#include "services/dispatch/domain/events/timers.h"

#include <gtest/gtest.h>

namespace ridestream::dispatch {
namespace {

using std::chrono::seconds;

constexpr Time kSetAt = ScaledClock::kAnchor;
const Timer kOffer{TimerKind::kOfferEnds, "o-1"};
const Timer kDriver{TimerKind::kDriverLost, "d-1"};

TEST(TimersTest, FireInTheOrderOfTheirTimesAndNotBefore) {
  Timers timers;
  timers.Set(kOffer, kSetAt + seconds(2));
  timers.Set(kDriver, kSetAt + seconds(1));
  EXPECT_EQ(timers.Next(), kSetAt + seconds(1));
  EXPECT_EQ(timers.PopDue(kSetAt), std::nullopt);
  EXPECT_EQ(timers.PopDue(kSetAt + seconds(2)), kDriver);
  EXPECT_EQ(timers.PopDue(kSetAt + seconds(2)), kOffer);
  EXPECT_EQ(timers.PopDue(kSetAt + seconds(2)), std::nullopt);
  EXPECT_EQ(timers.Next(), std::nullopt);
}

TEST(TimersTest, SettingAgainMovesTheTimer) {
  Timers timers;
  timers.Set(kOffer, kSetAt + seconds(1));
  timers.Set(kOffer, kSetAt + seconds(3));
  EXPECT_EQ(timers.PopDue(kSetAt + seconds(2)), std::nullopt);
  EXPECT_EQ(timers.PopDue(kSetAt + seconds(3)), kOffer);
  EXPECT_FALSE(timers.IsSet(kOffer));
}

TEST(TimersTest, ACancelledTimerNeverFires) {
  Timers timers;
  timers.Set(kOffer, kSetAt);
  timers.Cancel(kOffer);
  timers.Cancel(kDriver);
  EXPECT_EQ(timers.Next(), std::nullopt);
  EXPECT_EQ(timers.PopDue(kSetAt + seconds(9)), std::nullopt);
}

TEST(TimersTest, TimersOfOneTimeFireByKindThenSubject) {
  Timers timers;
  const Timer second_offer{TimerKind::kOfferEnds, "o-2"};
  timers.Set(kDriver, kSetAt);
  timers.Set(second_offer, kSetAt);
  timers.Set(kOffer, kSetAt);
  EXPECT_EQ(timers.PopDue(kSetAt), kOffer);
  EXPECT_EQ(timers.PopDue(kSetAt), second_offer);
  EXPECT_EQ(timers.PopDue(kSetAt), kDriver);
}

}  // namespace
}  // namespace ridestream::dispatch
