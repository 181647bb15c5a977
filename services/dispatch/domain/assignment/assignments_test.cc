#include "services/dispatch/domain/assignment/assignments.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <variant>

namespace ridestream::dispatch {
namespace {

using std::chrono::seconds;

constexpr Time kNow = ScaledClock::kAnchor;
const TripId kTrip("t");
const DriverId kDriver("d");

class AssignmentsTest : public ::testing::Test {
 protected:
  AssignmentsTest() {
    Step step(kNow);
    DriverConnected connected{.driver = kDriver, .epoch = 1, .resumed = false, .hello = {}};
    connected.hello.set_name("Dana");
    connected.hello.set_seats(4);
    fleet_.Connect(connected, nullptr, step);
  }
  /// What trip was asked.
  static std::optional<trip::v1::AssignTripRequest> Asked(Step& step) {
    for (const Decision& decision : step.TakeDecisions()) {
      const auto* command = std::get_if<TripCommand>(&decision);
      if (command == nullptr) continue;
      if (const auto* request = std::get_if<trip::v1::AssignTripRequest>(&command->request)) {
        return *request;
      }
    }
    return std::nullopt;
  }

  Timers timers_;
  Fleet fleet_{seconds(30), {}, timers_};
  TripCommands commands_{{seconds(1), seconds(15)}, timers_};
  Assignments assignments_{fleet_, commands_, timers_};
};

TEST_F(AssignmentsTest, AnAcceptedOfferAsksTripWithTheDriversDetails) {
  Step step(kNow);
  ASSERT_TRUE(assignments_.Begin({OfferId("o"), AssignmentKind::kOffer, kTrip, kDriver}, step));
  const auto request = Asked(step);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->offer_id(), "o");
  EXPECT_EQ(request->driver().name(), "Dana");
  EXPECT_EQ(request->seats(), 4u);
  EXPECT_EQ(request->from_driver_id(), "");
  ASSERT_NE(assignments_.Find(OfferId("o")), nullptr);
  EXPECT_EQ(assignments_.Find(OfferId("o"))->trip, kTrip);

  EXPECT_TRUE(assignments_.End(kTrip, /*assigned=*/true));
  EXPECT_EQ(assignments_.OfTrip(kTrip), nullptr);
  EXPECT_EQ(assignments_.Find(OfferId("o")), nullptr);
  EXPECT_FALSE(assignments_.End(kTrip, /*assigned=*/true));
}

TEST_F(AssignmentsTest, AMoveNamesTheEarlierDriverAndReservesTheNewOneUntilItEnds) {
  Step step(kNow);
  CandidatesFound::FreedCapacity freed{TripId("other"), {DriverId("holder"), 1, {}}};
  ASSERT_TRUE(assignments_.BeginInsertion({.id = OfferId("o"),
                                           .kind = AssignmentKind::kMove,
                                           .trip = kTrip,
                                           .driver = kDriver,
                                           .from = DriverId("holder"),
                                           .freed = freed},
                                          {kDriver, 0, {}}, step));
  const auto request = Asked(step);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->from_driver_id(), "holder");
  EXPECT_TRUE(fleet_.Find(kDriver)->inserting);
  EXPECT_FALSE(fleet_.Find(kDriver)->offered);

  const auto ended = assignments_.End(kTrip, /*assigned=*/false);
  ASSERT_TRUE(ended && ended->freed);
  EXPECT_EQ(ended->freed->trip, TripId("other"));
  EXPECT_FALSE(fleet_.Find(kDriver)->inserting);
}

TEST_F(AssignmentsTest, ARefusalWaitsForTheLogUntilItIsDue) {
  Step step(kNow);
  assignments_.Begin({OfferId("o"), AssignmentKind::kOffer, kTrip, kDriver}, step);
  assignments_.Refuse(kTrip, kNow + seconds(1));
  EXPECT_EQ(assignments_.OfTrip(kTrip)->state, OpenAssignment::State::kRefused);
  EXPECT_EQ(timers_.PopDue(kNow + seconds(1)), (Timer{TimerKind::kAssignmentUnexplained, "o"}));
  timers_.Set({TimerKind::kAssignmentUnexplained, "o"}, kNow + seconds(1));
  assignments_.End(kTrip, /*assigned=*/false);
  EXPECT_EQ(timers_.Next(), std::nullopt);
}

}  // namespace
}  // namespace ridestream::dispatch
