#include "services/dispatch/domain/promises/promises.h"

#include <gtest/gtest.h>

#include <string>
#include <variant>
#include <vector>

#include "libs/proto_values/proto_values.h"

namespace ridestream::dispatch {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr Time kNow = ScaledClock::kAnchor;
constexpr LatLng kPlace{407'500'000, -739'800'000};
const TripId kTrip("t");

class PromisesTest : public ::testing::Test {
 protected:
  PromisesTest() {
    trip_.set_trip_id(kTrip.str());
    trip_.set_state(trip::v1::TRIP_STATE_ASSIGNED);
    *trip_.mutable_pickup() = ToProto(kPlace);
    *trip_.mutable_dropoff() = ToProto(kPlace);
    *trip_.mutable_promise()->mutable_latest_pickup_at() = ToProto(kNow + minutes(8));
    *trip_.mutable_promise()->mutable_latest_dropoff_at() = ToProto(kNow + minutes(20));
    plan_.Apply(trip_);
  }
  /// A car at the pick-up.
  Promises::Car Car() const { return {plan_, kPlace, /*suspect=*/false}; }
  /// The "promise broken" flag of each report of progress in this step.
  static std::vector<bool> BrokenFlags(Step& step) {
    std::vector<bool> flags;
    for (const Decision& decision : step.TakeDecisions()) {
      const auto* report = std::get_if<ReportProgress>(&decision);
      if (report != nullptr) flags.push_back(report->progress.progress().promise_broken());
    }
    return flags;
  }

  trip::v1::Trip trip_;
  DriverPlan plan_;
  Timers timers_;
  Promises promises_{timers_};
};

TEST_F(PromisesTest, SetsATimerForTheNextPromiseOnly) {
  Step step(kNow);
  promises_.Watch(Car(), kTrip, step);
  EXPECT_EQ(timers_.Next(), kNow + minutes(8) + Duration(1));
  trip_.set_state(trip::v1::TRIP_STATE_ABOARD);
  plan_.Apply(trip_);
  promises_.Watch(Car(), kTrip, step);
  EXPECT_EQ(timers_.Next(), kNow + minutes(20) + Duration(1));
  promises_.Unwatch(kTrip);
  EXPECT_EQ(timers_.Next(), std::nullopt);
}

TEST_F(PromisesTest, RiderOfABrokenPromiseIsNotifiedRepeatedly) {
  Step on_time(kNow + minutes(8));
  promises_.ReportToRiders(Car(), on_time);
  EXPECT_EQ(BrokenFlags(on_time), std::vector<bool>{false});

  Step late(kNow + minutes(8) + Duration(1));
  promises_.Due(Car(), kTrip, late);
  EXPECT_EQ(BrokenFlags(late), std::vector<bool>{true});
  EXPECT_EQ(promises_.broken(), 1u);
  EXPECT_EQ(timers_.Next(), late.now() + Promises::kTellLateEvery);
  Step later(*timers_.Next());
  promises_.Due(Car(), kTrip, later);
  EXPECT_EQ(BrokenFlags(later), std::vector<bool>{true});
  EXPECT_EQ(promises_.broken(), 1u);
}

TEST_F(PromisesTest, ABrokenPromiseStaysBrokenUntilTheTripIsForgotten) {
  *trip_.mutable_arrived_at() = ToProto(kNow + minutes(8) + seconds(1));
  EXPECT_TRUE(promises_.HoldToRecord(trip_));
  EXPECT_FALSE(promises_.HoldToRecord(trip_));
  Step step(kNow);
  promises_.ReportToRiders(Car(), step);
  EXPECT_EQ(BrokenFlags(step), std::vector<bool>{true});
  promises_.Forget(kTrip);
  promises_.ReportToRiders(Car(), step);
  EXPECT_EQ(BrokenFlags(step), std::vector<bool>{false});
}

TEST_F(PromisesTest, ArrivalInTimeOnRecordKeepsThePickUpPromise) {
  *trip_.mutable_arrived_at() = ToProto(kNow + minutes(8));
  EXPECT_FALSE(promises_.HoldToRecord(trip_));
  trip_.set_state(trip::v1::TRIP_STATE_COMPLETED);
  *trip_.mutable_ended_at() = ToProto(kNow + minutes(20) + seconds(1));
  EXPECT_TRUE(promises_.HoldToRecord(trip_));
}

}  // namespace
}  // namespace ridestream::dispatch
