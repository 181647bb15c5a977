#include "services/dispatch/domain/promises/rider_etas.h"

#include <gtest/gtest.h>

namespace ridestream::dispatch {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr Time kThen = ScaledClock::kAnchor;
const TripId kRide("t");

TEST(RiderEtasTest, IsCorrectedWhenItMovesByHalfAMinute) {
  RiderEtas etas;
  EXPECT_EQ(etas.Update(kRide, trip::v1::TRIP_STATE_ASSIGNED, kThen), kThen);
  EXPECT_EQ(etas.Update(kRide, trip::v1::TRIP_STATE_ASSIGNED, kThen + seconds(29)), kThen);
  EXPECT_EQ(etas.Update(kRide, trip::v1::TRIP_STATE_ASSIGNED, kThen - seconds(29)), kThen);
  EXPECT_EQ(etas.corrections(), 0U);
  const Time later = kThen + seconds(30);
  EXPECT_EQ(etas.Update(kRide, trip::v1::TRIP_STATE_ASSIGNED, later), later);
  EXPECT_EQ(etas.Update(kRide, trip::v1::TRIP_STATE_ASSIGNED, kThen + seconds(1)), later);
  EXPECT_EQ(etas.Update(kRide, trip::v1::TRIP_STATE_ASSIGNED, kThen), kThen);
  EXPECT_EQ(etas.corrections(), 2U);
}

TEST(RiderEtasTest, IsSentAgainWhenTheStateChanges) {
  RiderEtas etas;
  etas.Update(kRide, trip::v1::TRIP_STATE_ASSIGNED, kThen);
  EXPECT_EQ(etas.Update(kRide, trip::v1::TRIP_STATE_ARRIVED, kThen + seconds(1)),
            kThen + seconds(1));
  EXPECT_EQ(etas.Update(kRide, trip::v1::TRIP_STATE_ARRIVED, kThen + minutes(5)),
            kThen + seconds(1));
  EXPECT_EQ(etas.Update(kRide, trip::v1::TRIP_STATE_ABOARD, kThen + seconds(3)),
            kThen + seconds(3));
  EXPECT_EQ(etas.corrections(), 0U);
}

TEST(RiderEtasTest, KeepsAnEtaForEachTripUntilForgotten) {
  RiderEtas etas;
  etas.Update(kRide, trip::v1::TRIP_STATE_ASSIGNED, kThen);
  EXPECT_EQ(etas.Update(TripId("u"), trip::v1::TRIP_STATE_ASSIGNED, kThen + seconds(9)),
            kThen + seconds(9));
  etas.Forget(kRide);
  EXPECT_EQ(etas.Update(kRide, trip::v1::TRIP_STATE_ASSIGNED, kThen + seconds(9)),
            kThen + seconds(9));
}

}  // namespace
}  // namespace ridestream::dispatch
