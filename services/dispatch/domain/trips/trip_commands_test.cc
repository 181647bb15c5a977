#include "services/dispatch/domain/trips/trip_commands.h"

#include <gtest/gtest.h>

#include <set>

#include "absl/status/status.h"

namespace ridestream::dispatch {
namespace {

using std::chrono::seconds;

constexpr Time kSubmittedAt = ScaledClock::kAnchor;
const TripId kTrip("t-1");

trip::v1::AdvanceTripRequest Advance(trip::v1::TripState to, const std::string& trip = "t-1") {
  trip::v1::AdvanceTripRequest request;
  request.set_trip_id(trip);
  request.set_driver_id("d-1");
  request.set_to(to);
  return request;
}

trip::v1::ReleaseTripRequest Release() {
  trip::v1::ReleaseTripRequest request;
  request.set_trip_id("t-1");
  request.set_driver_id("d-1");
  return request;
}

class TripCommandsTest : public ::testing::Test {
 protected:
  /// The commands that a call decided.
  template <class Call>
  std::vector<TripCommand> Sent(Call call) {
    Step step(kSubmittedAt);
    call(step);
    std::vector<TripCommand> sent;
    for (Decision& decision : step.TakeDecisions()) {
      sent.push_back(std::get<TripCommand>(std::move(decision)));
    }
    return sent;
  }
  std::vector<TripCommand> Send(TripRequest request, CommandOrigin origin = {}) {
    return Sent([&](Step& step) { commands_.Send(std::move(request), std::move(origin), step); });
  }

  Timers timers_;
  TripCommands commands_{{seconds(1), seconds(15)}, timers_};
};

TEST_F(TripCommandsTest, CommandsOfOneTripGoOneAfterTheOther) {
  const auto first = Send(Advance(trip::v1::TRIP_STATE_ARRIVED));
  ASSERT_EQ(first.size(), 1);
  EXPECT_TRUE(Send(Advance(trip::v1::TRIP_STATE_ABOARD)).empty());
  EXPECT_EQ(Send(Advance(trip::v1::TRIP_STATE_ARRIVED, "t-2")).size(), 1) << "another trip's";

  Step step(kSubmittedAt);
  EXPECT_TRUE(commands_.Settle(first[0].command, absl::OkStatus(), step).has_value());
  const auto next = Sent([&](Step& s) { commands_.SendNext(kTrip, s); });
  ASSERT_EQ(next.size(), 1);
  EXPECT_EQ(std::get<trip::v1::AdvanceTripRequest>(next[0].request).to(),
            trip::v1::TRIP_STATE_ABOARD);
  EXPECT_TRUE(Sent([&](Step& s) { commands_.SendNext(kTrip, s); }).empty()) << "it is under way";
}

TEST_F(TripCommandsTest, AnOpenOutcomeIsAskedAgainUnderTheSameIdUntilItIsKnown) {
  const auto sent = Send(Release());
  for (const auto most :
       {seconds(1), seconds(2), seconds(4), seconds(8), seconds(15), seconds(15)}) {
    Step step(kSubmittedAt);
    EXPECT_EQ(commands_.Settle(sent[0].command, absl::UnavailableError("down"), step),
              std::nullopt);
    EXPECT_GE(timers_.Next(), kSubmittedAt + most / 2);
    ASSERT_EQ(timers_.PopDue(kSubmittedAt + most), (Timer{TimerKind::kCommandRetry, "t-1"}));
    const auto again = Sent([&](Step& s) { commands_.Resend(kTrip, s); });
    ASSERT_EQ(again.size(), 1);
    EXPECT_EQ(again[0].command, sent[0].command);
  }
  Step step(kSubmittedAt);
  EXPECT_TRUE(commands_.Settle(sent[0].command, absl::NotFoundError("no"), step).has_value());
  EXPECT_FALSE(commands_.IsPending<trip::v1::ReleaseTripRequest>(kTrip));
}

TEST_F(TripCommandsTest, CommandsThatFailedTogetherDoNotComeAgainTogether) {
  std::set<Time> again_at;
  constexpr int kTrips = 100;
  for (int i = 0; i < kTrips; ++i) {
    const auto sent = Send(Advance(trip::v1::TRIP_STATE_ARRIVED, "t-" + std::to_string(i)));
    Step step(kSubmittedAt);
    commands_.Settle(sent.at(0).command, absl::UnavailableError("down"), step);
  }
  while (timers_.Next()) {
    again_at.insert(*timers_.Next());
    timers_.PopDue(*timers_.Next());
  }
  EXPECT_GT(again_at.size(), kTrips * 9 / 10);
  EXPECT_LT(*again_at.begin(), kSubmittedAt + std::chrono::milliseconds(550));
  EXPECT_GT(*again_at.rbegin(), kSubmittedAt + std::chrono::milliseconds(950));
}

TEST_F(TripCommandsTest, PausesEndWhenTripAnswers) {
  const auto pauses = Send(Release());
  EXPECT_EQ(Send(Advance(trip::v1::TRIP_STATE_ARRIVED, "t-2")).size(), 1u) << "is under way";
  Step step(kSubmittedAt);
  commands_.Settle(pauses[0].command, absl::UnavailableError("down"), step);
  const auto again = Sent([&](Step& s) { commands_.ResendAll(s); });
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].command, pauses[0].command);
  EXPECT_EQ(timers_.Next(), std::nullopt);
  EXPECT_TRUE(Sent([&](Step& s) { commands_.ResendAll(s); }).empty());
}

TEST_F(TripCommandsTest, ARepeatIsDroppedButItsOriginIsKept) {
  const auto sent = Send(Release());
  v1::GiveUp give_up;
  give_up.set_trip_id("t-1");
  EXPECT_TRUE(Send(Release(), give_up).empty());
  Step step(kSubmittedAt);
  const auto settled = commands_.Settle(sent[0].command, absl::OkStatus(), step);
  ASSERT_TRUE(settled.has_value());
  EXPECT_TRUE(std::holds_alternative<v1::GiveUp>(settled->origin));
  EXPECT_TRUE(Sent([&](Step& s) { commands_.SendNext(kTrip, s); }).empty());
}

TEST_F(TripCommandsTest, AnAnswerToADroppedCommandIsUnknown) {
  const auto sent = Send(Release());
  Step step(kSubmittedAt);
  commands_.Settle(sent[0].command, absl::UnavailableError("down"), step);
  commands_.DropAll(kTrip);
  EXPECT_EQ(timers_.Next(), std::nullopt);
  EXPECT_EQ(commands_.Settle(sent[0].command, absl::OkStatus(), step), std::nullopt);
}

TEST(IsOutcomeOpenTest, OnlyFailuresThatTripItselfGaveAreDefinite) {
  using absl::StatusCode;
  for (const auto code :
       {StatusCode::kUnavailable, StatusCode::kDeadlineExceeded, StatusCode::kCancelled,
        StatusCode::kUnknown, StatusCode::kInternal, StatusCode::kResourceExhausted}) {
    EXPECT_TRUE(IsOutcomeOpen(absl::Status(code, "")));
  }
  for (const auto code :
       {StatusCode::kOk, StatusCode::kAborted, StatusCode::kFailedPrecondition,
        StatusCode::kNotFound, StatusCode::kPermissionDenied, StatusCode::kInvalidArgument}) {
    EXPECT_FALSE(IsOutcomeOpen(absl::Status(code, "")));
  }
}

}  // namespace
}  // namespace ridestream::dispatch
