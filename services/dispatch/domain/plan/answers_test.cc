#include "services/dispatch/domain/plan/answers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace ridestream::dispatch {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

trip::v1::Trip TripOfDriver(trip::v1::TripState state) {
  trip::v1::Trip trip;
  trip.set_trip_id("t");
  trip.set_state(state);
  trip.mutable_driver()->set_driver_id("d");
  return trip;
}

std::vector<std::string> Names(trip::v1::TripState before, const trip::v1::Trip& now) {
  std::vector<std::string> names;
  for (const v1::AnsweredCommand& answer : CommandsBetween(before, now, DriverId("d"))) {
    names.push_back(answer.has_stop_update() ? v1::StopAction_Name(answer.stop_update().action()) +
                                                   " " + answer.stop_update().trip_id()
                                             : "given up " + answer.given_up_trip_id());
  }
  return names;
}

constexpr trip::v1::TripState kAssigned = trip::v1::TRIP_STATE_ASSIGNED;

TEST(AnswersTest, EachStepIsACommand) {
  EXPECT_THAT(Names(kAssigned, TripOfDriver(trip::v1::TRIP_STATE_ARRIVED)),
              ElementsAre("STOP_ACTION_ARRIVED t"));
  EXPECT_THAT(Names(trip::v1::TRIP_STATE_ARRIVED, TripOfDriver(trip::v1::TRIP_STATE_ABOARD)),
              ElementsAre("STOP_ACTION_PICKED_UP t"));
  EXPECT_THAT(Names(trip::v1::TRIP_STATE_ABOARD, TripOfDriver(trip::v1::TRIP_STATE_COMPLETED)),
              ElementsAre("STOP_ACTION_DROPPED_OFF t"));
}

TEST(AnswersTest, StepsWhoseRecordsWereSkippedAreAnsweredInTheirOrder) {
  EXPECT_THAT(
      Names(kAssigned, TripOfDriver(trip::v1::TRIP_STATE_COMPLETED)),
      ElementsAre("STOP_ACTION_ARRIVED t", "STOP_ACTION_PICKED_UP t", "STOP_ACTION_DROPPED_OFF t"));
}

TEST(AnswersTest, ChangesByOthersAreNotCommands) {
  EXPECT_THAT(Names(kAssigned, TripOfDriver(kAssigned)), IsEmpty()) << "another destination";
  trip::v1::Trip cancelled = TripOfDriver(trip::v1::TRIP_STATE_CANCELLED);
  cancelled.mutable_cancellation()->set_by_rider_id("r");
  EXPECT_THAT(Names(kAssigned, cancelled), IsEmpty());
  trip::v1::Trip moved = TripOfDriver(trip::v1::TRIP_STATE_ARRIVED);
  moved.mutable_driver()->set_driver_id("d-2");
  moved.mutable_last_release()->set_driver_id("d");
  moved.mutable_last_release()->set_reason(trip::v1::RELEASE_REASON_REASSIGNED);
  EXPECT_THAT(Names(kAssigned, moved), IsEmpty());
}

TEST(AnswersTest, NamesTheTripThatWasGivenUp) {
  trip::v1::Trip released = TripOfDriver(trip::v1::TRIP_STATE_REQUESTED);
  released.clear_driver();
  released.mutable_last_release()->set_driver_id("d");
  released.mutable_last_release()->set_reason(trip::v1::RELEASE_REASON_DRIVER_GAVE_UP);
  EXPECT_THAT(Names(kAssigned, released), ElementsAre("given up t"));
  trip::v1::Trip no_show = TripOfDriver(trip::v1::TRIP_STATE_CANCELLED);
  no_show.mutable_cancellation()->set_by_driver_id("d");
  EXPECT_THAT(Names(trip::v1::TRIP_STATE_ARRIVED, no_show), ElementsAre("given up t"));
}

}  // namespace
}  // namespace ridestream::dispatch
