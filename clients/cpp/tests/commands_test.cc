#include "clients/cpp/src/commands.h"

#include <gtest/gtest.h>

#include "clients/cpp/tests/messages.h"
#include "ridestream/client/errors.h"

namespace ridestream::client {
namespace {

namespace pb = ::ridestream::dispatch::v1;

class CommandsTest : public testing::Test {
 protected:
  bool Add(const pb::DriveRequest& request) {
    return commands_.Add(request, [this](const absl::StatusOr<CommandResult>& result) {
      results_.push_back(result);
    });
  }

  Commands commands_;
  std::vector<absl::StatusOr<CommandResult>> results_;
};

pb::DriveRequest GiveUp(const std::string& trip_id) {
  pb::DriveRequest request;
  request.mutable_give_up()->set_trip_id(trip_id);
  return request;
}

pb::DriveRequest Step(pb::StopAction action) {
  pb::DriveRequest request = Arrived("t");
  request.mutable_stop_update()->set_action(action);
  return request;
}

pb::DriveRequest Answer(bool accept) {
  pb::DriveRequest request;
  request.mutable_offer_answer()->set_offer_id("o");
  request.mutable_offer_answer()->set_accept(accept);
  return request;
}

TEST_F(CommandsTest, PlanSettlesTheCommandsThatItNames) {
  Add(Arrived("t"));
  Add(GiveUp("t"));
  pb::Plan newest;
  newest.set_version(3);
  pb::DriveResponse push = Plan(1, 2);
  commands_.OnPush(push, newest);  // Has another cause, e.g. the rider cancelled.
  EXPECT_TRUE(results_.empty());
  *push.mutable_plan()->add_answers()->mutable_stop_update() = Arrived("t").stop_update();
  commands_.OnPush(push, newest);
  ASSERT_EQ(results_.size(), 1u);
  EXPECT_EQ(std::get<pb::Plan>(**results_.begin()).version(), 3u);
  ASSERT_EQ(commands_.requests().size(), 1u);
  push.mutable_plan()->mutable_answers(0)->set_given_up_trip_id("t");
  commands_.OnPush(push, newest);
  EXPECT_EQ(results_.size(), 2u);
}

TEST_F(CommandsTest, RepeatedCommandIsSentOnceAndBothCallsGetItsResult) {
  EXPECT_TRUE(Add(Answer(true)));
  EXPECT_FALSE(Add(Answer(true)));
  EXPECT_FALSE(Add(Answer(false)));  // The opposite is refused.
  ASSERT_EQ(results_.size(), 1u);
  EXPECT_EQ(DetailsOf(results_[0].status()).kind, ErrorKind::kBeforeTheWire);
  pb::DriveResponse ended;
  ended.mutable_offer_ended()->set_offer_id("o");
  commands_.OnPush(ended, {});
  EXPECT_EQ(results_.size(), 3u);
  EXPECT_TRUE(commands_.requests().empty());
}

TEST_F(CommandsTest, RejectionKeepsItsCodeAndAnUnknownCodeBecomesFailedPrecondition) {
  for (const auto& [sent, code] : {std::pair(5, absl::StatusCode::kNotFound),
                                   std::pair(77, absl::StatusCode::kFailedPrecondition),
                                   std::pair(0, absl::StatusCode::kFailedPrecondition)}) {
    Add(Arrived("t"));
    pb::DriveResponse rejected;
    *rejected.mutable_rejected()->mutable_stop_update() = Arrived("t").stop_update();
    rejected.mutable_rejected()->set_code(static_cast<pb::RejectionCode>(sent));
    EXPECT_TRUE(commands_.IsAnswer(rejected));
    commands_.OnPush(rejected, {});
    EXPECT_FALSE(commands_.IsAnswer(rejected));
    EXPECT_EQ(results_.back().status().code(), code);
    EXPECT_EQ(DetailsOf(results_.back().status()).kind, ErrorKind::kRejected);
  }
}

TEST_F(CommandsTest, SnapshotSettlesCommandsWhoseEffectItsPlanShows) {
  enum Stops { kPickUp, kArrivedPickUp, kDropOff, kNone };
  const struct {
    pb::DriveRequest command;
    std::vector<Stops> settled_by;
  } kCases[] = {{Step(pb::STOP_ACTION_ARRIVED), {kArrivedPickUp, kDropOff, kNone}},
                {Step(pb::STOP_ACTION_PICKED_UP), {kDropOff, kNone}},
                {Step(pb::STOP_ACTION_DROPPED_OFF), {kNone}},
                {GiveUp("t"), {kNone}},
                {Answer(true), {}}};
  for (const auto& [command, settled_by] : kCases) {
    for (const Stops stops : {kPickUp, kArrivedPickUp, kDropOff, kNone}) {
      pb::Plan plan;
      if (stops != kNone) {
        pb::Stop& stop = *plan.add_stops();
        stop.set_trip_id("t");
        stop.set_kind(stops == kDropOff ? pb::STOP_KIND_DROP_OFF : pb::STOP_KIND_PICK_UP);
        stop.set_arrived(stops == kArrivedPickUp);
      }
      plan.add_stops()->set_trip_id("another");
      Commands commands;
      bool is_settled = false;
      commands.Add(command, [&](const auto& result) { is_settled = result.ok(); });
      commands.OnSnapshot(plan);
      const bool expected =
          std::find(settled_by.begin(), settled_by.end(), stops) != settled_by.end();
      EXPECT_EQ(is_settled, expected) << command.ShortDebugString() << plan.ShortDebugString();
    }
  }
}

TEST_F(CommandsTest, FailAllFailsPendingCommands) {
  Add(Arrived("t"));
  commands_.FailAll(absl::AbortedError("another device"));
  ASSERT_EQ(results_.size(), 1u);
  EXPECT_EQ(results_[0].status(), absl::AbortedError("another device"));
  EXPECT_TRUE(commands_.requests().empty());
}

}  // namespace
}  // namespace ridestream::client
