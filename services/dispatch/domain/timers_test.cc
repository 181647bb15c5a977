#include "services/dispatch/domain/timers.h"

#include <gtest/gtest.h>

namespace ridestream::dispatch {
namespace {

using std::chrono::seconds;

constexpr Time kStart = ScaledClock::kAnchor;
const Timer kOffer{TimerKind::kOfferEnds, "o-1"};
const Timer kDriver{TimerKind::kDriverLost, "d-1"};

TEST(TimersTest, GoOffInTheOrderOfTheirTimesAndNotBefore) {
  Timers timers;
  timers.Set(kOffer, kStart + seconds(2));
  timers.Set(kDriver, kStart + seconds(1));
  EXPECT_EQ(timers.Next(), kStart + seconds(1));
  EXPECT_EQ(timers.PopDue(kStart), std::nullopt);
  EXPECT_EQ(timers.PopDue(kStart + seconds(2)), kDriver);
  EXPECT_EQ(timers.PopDue(kStart + seconds(2)), kOffer);
  EXPECT_EQ(timers.PopDue(kStart + seconds(2)), std::nullopt);
  EXPECT_EQ(timers.Next(), std::nullopt);
}

TEST(TimersTest, SettingAgainMovesTheTimer) {
  Timers timers;
  timers.Set(kOffer, kStart + seconds(1));
  timers.Set(kOffer, kStart + seconds(3));
  EXPECT_EQ(timers.PopDue(kStart + seconds(2)), std::nullopt);
  EXPECT_EQ(timers.PopDue(kStart + seconds(3)), kOffer);
  EXPECT_FALSE(timers.IsSet(kOffer));
}

TEST(TimersTest, ACancelledTimerNeverGoesOff) {
  Timers timers;
  timers.Set(kOffer, kStart);
  timers.Cancel(kOffer);
  timers.Cancel(kDriver);
  EXPECT_EQ(timers.Next(), std::nullopt);
  EXPECT_EQ(timers.PopDue(kStart + seconds(9)), std::nullopt);
}

TEST(TimersTest, EqualTimesGoByKindThenSubject) {
  Timers timers;
  const Timer second_offer{TimerKind::kOfferEnds, "o-2"};
  timers.Set(kDriver, kStart);
  timers.Set(second_offer, kStart);
  timers.Set(kOffer, kStart);
  EXPECT_EQ(timers.PopDue(kStart), kOffer);
  EXPECT_EQ(timers.PopDue(kStart), second_offer);
  EXPECT_EQ(timers.PopDue(kStart), kDriver);
}

}  // namespace
}  // namespace ridestream::dispatch
