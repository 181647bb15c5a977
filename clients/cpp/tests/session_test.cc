#include "clients/cpp/src/session.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "absl/strings/str_cat.h"
#include "clients/cpp/tests/messages.h"
#include "ridestream/client/errors.h"

namespace ridestream::client {
namespace {

namespace pb = ::ridestream::dispatch::v1;

class SessionTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(session_.OnWelcome(Welcome(1)), absl::OkStatus());
    ASSERT_TRUE(std::holds_alternative<Connected>(session_.Take().value()));
  }
  void Push(const pb::DriveResponse& message) {
    ASSERT_EQ(session_.OnPush(message, false), absl::OkStatus());
  }
  std::uint64_t TakePlan() { return std::get<pb::Plan>(session_.Take().value()).version(); }

  Session session_;
};

TEST_F(SessionTest, PushIsAckedWhenTheAppHasTakenIt) {
  Push(Offer(1, "o"));
  pb::DriveResponse unknown;
  unknown.set_sequence(2);
  Push(unknown);
  EXPECT_EQ(session_.ack(), 0u);
  session_.Take();
  EXPECT_EQ(session_.ack(), 2u) << "the app needn't see a message of an unknown kind";
}

TEST_F(SessionTest, ResumeListsReceivedPushesThatTheAppHasNotTaken) {
  Push(Offer(1, "o"));
  Push(Plan(2, 7));
  const pb::Resume resume = session_.ToHello({}).resume();
  EXPECT_EQ(resume.session_id(), "s");
  EXPECT_EQ(resume.epoch(), 1u);
  EXPECT_EQ(resume.last_sequence(), 2u);
  EXPECT_EQ(resume.plan_version(), 7u);
}

TEST_F(SessionTest, NothingIsReportedTwiceAfterAResume) {
  Push(Offer(1, "o"));
  session_.Take();
  pb::DriveResponse welcome = Welcome(2, true);
  *welcome.mutable_welcome()->mutable_snapshot()->mutable_plan() = Plan(0, 9).plan();
  *welcome.mutable_welcome()->mutable_snapshot()->mutable_offer() = Offer(0, "o").offer();
  ASSERT_EQ(session_.OnWelcome(welcome), absl::OkStatus());
  Push(Offer(1, "o"));
  Push(Plan(2, 8));
  EXPECT_TRUE(std::get<Connected>(session_.Take().value()).resumed);
  EXPECT_EQ(TakePlan(), 9u);
  EXPECT_EQ(session_.Take(), std::nullopt);
  EXPECT_EQ(session_.ack(), 2u);
}

TEST_F(SessionTest, NewSessionDropsPushesThatTheAppHasNotTaken) {
  Push(Offer(1, "o"));
  ASSERT_EQ(session_.OnWelcome(Welcome(2)), absl::OkStatus());
  EXPECT_TRUE(std::holds_alternative<Connected>(session_.Take().value()));
  EXPECT_EQ(session_.Take(), std::nullopt);
  EXPECT_EQ(session_.plan(), std::nullopt);
  Push(Offer(1, "o"));  // The new session's first push.
  EXPECT_TRUE(session_.Take().has_value());
}

TEST_F(SessionTest, OnlyTheNewestPlanIsReported) {
  for (std::uint64_t number = 1; number < 60; ++number) Push(Plan(number, number));
  EXPECT_EQ(TakePlan(), 59u);
  EXPECT_EQ(session_.ack(), 59u);
  EXPECT_EQ(session_.Take(), std::nullopt);
}

TEST_F(SessionTest, PlanWithoutRouteKeepsTheRouteThatWasSentBefore) {
  pb::DriveResponse plan = Plan(1, 1);
  plan.mutable_plan()->set_route_id(5);
  plan.mutable_plan()->mutable_route()->set_length_m(700);
  plan.mutable_plan()->add_stops();
  Push(plan);
  plan.set_sequence(2);
  plan.mutable_plan()->set_version(2);
  plan.mutable_plan()->clear_route();
  Push(plan);
  EXPECT_EQ(session_.plan()->route().length_m(), 700u);
}

TEST_F(SessionTest, TooManyUnackedPushesAreAProtocolError) {
  absl::Status status;
  for (std::uint64_t number = 1; status.ok() && number < 1'000; ++number) {
    status = session_.OnPush(Offer(number, absl::StrCat(number)), false);
  }
  EXPECT_EQ(DetailsOf(status).kind, ErrorKind::kProtocol);
}

TEST_F(SessionTest, KnownOfferForAnotherDriverIsAProtocolError) {
  ASSERT_TRUE(session_.OnPush(Offer(1, "o"), false).ok());
  pb::DriveResponse again = Offer(2, "o");
  again.mutable_offer()->set_driver_id("another");
  EXPECT_EQ(DetailsOf(session_.OnPush(again, false)).kind, ErrorKind::kProtocol);
}

TEST_F(SessionTest, InvalidPushIsAProtocolError) {
  pb::DriveResponse others = Plan(1, 1), nothing = Offer(1, "o");
  others.mutable_plan()->set_driver_id("another");
  nothing.mutable_offer()->clear_trip_id();
  for (const pb::DriveResponse& message :
       {Welcome(2), Offer(0, "o"), Offer(2, "o"), others, nothing}) {
    Session session = session_;
    EXPECT_EQ(DetailsOf(session.OnPush(message, false)).kind, ErrorKind::kProtocol)
        << message.ShortDebugString();
  }
}

TEST_F(SessionTest, InvalidWelcomeIsAProtocolError) {
  const std::function<void(pb::Welcome&)> kFaults[] = {
      [](auto& welcome) { welcome.clear_session_id(); },
      [](auto& welcome) { welcome.clear_driver_id(); },
      [](auto& welcome) { welcome.set_epoch(1); },
      [](auto& welcome) { welcome.set_resumed(true), welcome.set_session_id("another"); },
      [](auto& welcome) { welcome.clear_report_every(); },
      [](auto& welcome) { welcome.mutable_heartbeat()->set_seconds(-1); },
      [](auto& welcome) { welcome.mutable_heartbeat()->set_seconds(1LL << 62); },
      [](auto& welcome) { welcome.set_clock_rate(0); },
      [](auto& welcome) { welcome.set_clock_rate(std::numeric_limits<double>::quiet_NaN()); }};
  for (const auto& fault : kFaults) {
    Session session = session_;
    pb::DriveResponse message = Welcome(2);
    fault(*message.mutable_welcome());
    EXPECT_EQ(DetailsOf(session.OnWelcome(message)).kind, ErrorKind::kProtocol)
        << message.ShortDebugString();
  }
  EXPECT_EQ(DetailsOf(session_.OnWelcome(Offer(1, "o"))).kind, ErrorKind::kProtocol);
}

}  // namespace
}  // namespace ridestream::client
