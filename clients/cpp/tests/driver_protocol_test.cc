#include "clients/cpp/src/driver_protocol.h"

#include <gtest/gtest.h>

#include "clients/cpp/tests/messages.h"
#include "ridestream/client/errors.h"

namespace ridestream::client {
namespace {

namespace pb = ::ridestream::dispatch::v1;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Code = absl::StatusCode;

pb::Hello HelloToCity() {
  pb::Hello hello;
  hello.set_market("city");
  return hello;
}

class DriverProtocolTest : public testing::Test {
 protected:
  void Open(const std::string& proof = "token") {
    ASSERT_TRUE(protocol_.MustOpen(now_));
    protocol_.OnOpen(proof, now_);
    ASSERT_TRUE(Next().has_hello());
  }
  void Connect(bool resumed = false) {
    Open();
    protocol_.OnMessage(Welcome(++epoch_, resumed), now_);
    ASSERT_TRUE(protocol_.is_connected()) << protocol_.status();
  }
  void Push(const pb::DriveResponse& message) { protocol_.OnMessage(message, now_); }
  pb::DriveRequest Next() { return protocol_.NextRequest(now_).value_or(pb::DriveRequest()); }
  /// Advances the time to the next wake-up, and returns by how much.
  DriverProtocol::Time::duration AdvanceToWakeUp() {
    const auto start = now_;
    now_ = protocol_.wake_at(true);
    protocol_.OnTime(now_);
    return now_ - start;
  }
  void MoveTo(int lat_e7) {
    pb::Position position;
    position.set_lat_e7(lat_e7);
    protocol_.MoveTo(position);
  }
  void Command(const pb::DriveRequest& request) {
    protocol_.Command(request, [this](const auto& result) { result_ = result.status(); });
  }
  /// The last event that the app hasn't taken.
  Event LastEvent() {
    Event last;
    while (auto event = protocol_.TakeEvent()) last = *std::move(event);
    return last;
  }

  DriverProtocol::Time now_ = DriverProtocol::Time(seconds(1'000));
  DriverProtocol protocol_{HelloToCity(), "home:1", 7};
  std::uint64_t epoch_ = 0;
  std::optional<absl::Status> result_;  // The last command's result.
};

TEST_F(DriverProtocolTest, NothingIsSentBetweenHelloAndWelcome) {
  MoveTo(1);
  Command(Arrived("t"));
  Open();
  EXPECT_EQ(protocol_.NextRequest(now_), std::nullopt);
}

TEST_F(DriverProtocolTest, WaitsTenSecondsForTheWelcome) {
  Open();
  EXPECT_EQ(AdvanceToWakeUp(), seconds(10));
  EXPECT_FALSE(protocol_.is_connected());
  EXPECT_EQ(std::get<Disconnected>(LastEvent()).status.code(), Code::kDeadlineExceeded);
}

TEST_F(DriverProtocolTest, StreamEndsAfterTwoHeartbeatPeriodsOfSilence) {
  Connect();
  now_ += seconds(15);
  pb::DriveResponse heartbeat;
  heartbeat.mutable_heartbeat();
  Push(heartbeat);
  now_ += seconds(19);
  protocol_.OnTime(now_);
  EXPECT_TRUE(protocol_.is_connected());
  now_ += seconds(1);
  protocol_.OnTime(now_);
  EXPECT_FALSE(protocol_.is_connected());
}

TEST_F(DriverProtocolTest, PositionIsSentAtOnceAndThenOncePerPeriod) {
  MoveTo(1);
  Connect();
  EXPECT_EQ(Next().position().sequence(), 1u);
  MoveTo(2);
  EXPECT_EQ(protocol_.NextRequest(now_), std::nullopt);
  EXPECT_EQ(AdvanceToWakeUp(), seconds(4));
  const pb::DriveRequest report = Next();
  EXPECT_EQ(report.position().sequence(), 2u);
  EXPECT_EQ(report.position().lat_e7(), 2);
}

TEST_F(DriverProtocolTest, HeartbeatIsSentBeforeThePeriodEnds) {
  Connect();
  EXPECT_EQ(AdvanceToWakeUp(), seconds(9));
  EXPECT_TRUE(Next().has_heartbeat());
  EXPECT_EQ(protocol_.NextRequest(now_), std::nullopt);
}

TEST_F(DriverProtocolTest, PositionIsSentBeforeAStep) {
  Connect();
  MoveTo(1);
  Next();
  MoveTo(2);
  Command(Arrived("t"));
  EXPECT_EQ(Next().position().lat_e7(), 2);
  EXPECT_TRUE(Next().has_stop_update());
}

TEST_F(DriverProtocolTest, PushIsAckedWhenTheAppHasTakenItAndAgainWhenItIsRepeated) {
  Connect();
  Push(Offer(1, "o"));
  EXPECT_EQ(protocol_.NextRequest(now_), std::nullopt);
  LastEvent();
  EXPECT_EQ(Next().ack().sequence(), 1u);
  EXPECT_EQ(protocol_.NextRequest(now_), std::nullopt);
  Push(Offer(1, "o"));
  EXPECT_EQ(Next().ack().sequence(), 1u);
  EXPECT_EQ(protocol_.TakeEvent(), std::nullopt);
}

TEST_F(DriverProtocolTest, CommandIsRepeatedOnEachStreamUntilItsEffectIsSeen) {
  Command(Arrived("t"));
  for (const bool resumed : {false, true, true}) {
    Connect(resumed);
    EXPECT_EQ(Next().stop_update().trip_id(), "t");
    protocol_.OnClosed(MakeError(Code::kUnavailable, "gone", {}), now_);
    EXPECT_EQ(result_, std::nullopt);
    AdvanceToWakeUp();
  }
  Open();
  pb::DriveResponse welcome = Welcome(++epoch_, true);
  *welcome.mutable_welcome()->mutable_snapshot()->mutable_plan() = Plan(0, 1).plan();
  Push(welcome);
  EXPECT_EQ(result_, absl::OkStatus());
  EXPECT_EQ(protocol_.NextRequest(now_), std::nullopt);
}

// The rules of docs/driver_client.md, "When the stream ends".
TEST_F(DriverProtocolTest, StatusDecidesWhetherTheStreamIsResumed) {
  constexpr std::optional<milliseconds> kNone;
  const struct {
    Code code;
    std::optional<milliseconds> retry_after;
    bool resumes;
  } kCases[] = {
      {Code::kOk, kNone, true},  // The app hasn't ended the shift.
      {Code::kUnavailable, kNone, true},
      {Code::kDeadlineExceeded, kNone, true},
      {Code::kCancelled, kNone, true},
      {Code::kInternal, kNone, true},
      {Code::kUnauthenticated, kNone, true},
      {Code::kInvalidArgument, kNone, false},
      {Code::kInvalidArgument, milliseconds(500), false},
      {Code::kPermissionDenied, kNone, false},
      {Code::kNotFound, kNone, false},
      {Code::kAborted, kNone, false},
      {Code::kFailedPrecondition, kNone, false},
      {Code::kFailedPrecondition, milliseconds(500), true},
      {Code::kResourceExhausted, kNone, false},
      {Code::kResourceExhausted, milliseconds(500), true},
      {Code::kUnavailable, milliseconds(600'000), true},
      {Code::kUnavailable, milliseconds(600'001), false},
  };
  for (const auto& [code, retry_after, resumes] : kCases) {
    DriverProtocol protocol(HelloToCity(), "home:1", 7);
    protocol.OnOpen("token", now_);
    protocol.OnMessage(Welcome(1), now_);
    const absl::Status status =
        code == Code::kOk ? absl::OkStatus() : MakeError(code, "", {.retry_after = retry_after});
    protocol.OnClosed(status, now_);
    EXPECT_EQ(protocol.has_ended(), !resumes) << status;
    if (!resumes) {
      EXPECT_FALSE(protocol.status().ok()) << status;
      continue;
    }
    const auto pause = protocol.wake_at(false) - now_;
    EXPECT_GE(pause, retry_after.value_or(milliseconds(0))) << status;
    EXPECT_LE(pause, retry_after ? *retry_after * 5 / 4 : milliseconds(500)) << status;
  }
}

TEST_F(DriverProtocolTest, FifthFailureInARowIsFinalUnlessAStreamLastedLong) {
  const auto fault = [&] {
    Open();
    protocol_.OnClosed(MakeError(Code::kInternal, "a fault", {}), now_);
    if (!protocol_.has_ended()) now_ = protocol_.wake_at(true);
  };
  for (int i = 0; i < 4; ++i) fault();
  Open();
  now_ += seconds(5);
  protocol_.OnMessage(Welcome(1), now_);
  now_ += seconds(25);
  protocol_.OnClosed(MakeError(Code::kInternal, "a fault", {}), now_);
  ASSERT_FALSE(protocol_.has_ended());
  now_ = protocol_.wake_at(true);
  for (int i = 0; i < 3; ++i) fault();
  EXPECT_FALSE(protocol_.has_ended());
  fault();
  EXPECT_EQ(protocol_.status().code(), Code::kInternal);
}

TEST_F(DriverProtocolTest, RefusedTokenIsNotSentAgain) {
  const absl::Status refused = MakeError(Code::kUnauthenticated, "", {});
  for (const char* token : {"one", "two"}) {
    Open(token);
    protocol_.OnClosed(refused, now_);
    ASSERT_FALSE(protocol_.has_ended());
    now_ = protocol_.wake_at(true);
  }
  Open("two");
  protocol_.OnClosed(refused, now_);
  EXPECT_EQ(protocol_.status().code(), Code::kUnauthenticated);
}

TEST_F(DriverProtocolTest, GoodbyeRedirectsTheDriverAfterItsPause) {
  Connect();
  pb::DriveResponse goodbye;
  goodbye.mutable_goodbye()->mutable_reconnect_after()->set_seconds(2);
  goodbye.mutable_goodbye()->set_address("other:2");
  Push(goodbye);
  EXPECT_FALSE(protocol_.is_connected());
  EXPECT_GE(AdvanceToWakeUp(), seconds(2));
  EXPECT_EQ(protocol_.address(), "other:2");
}

TEST_F(DriverProtocolTest, InvalidGoodbyeIsAProtocolError) {
  for (const auto& [pause_s, address] :
       {std::pair(-5, ""), std::pair(31'536'000, ""), std::pair(0, "unix:///tmp/x")}) {
    DriverProtocol protocol(HelloToCity(), "home:1", 7);
    protocol.OnOpen("token", now_);
    protocol.OnMessage(Welcome(1), now_);
    pb::DriveResponse goodbye;
    goodbye.mutable_goodbye()->mutable_reconnect_after()->set_seconds(pause_s);
    goodbye.mutable_goodbye()->set_address(address);
    protocol.OnMessage(goodbye, now_);
    EXPECT_EQ(DetailsOf(protocol.status()).kind, ErrorKind::kProtocol) << pause_s << address;
  }
}

TEST_F(DriverProtocolTest, FirstRedirectIsFollowedAtOnceAndTheNextAfterItsPause) {
  const auto refuse = [&](const std::string& address) {
    Open();
    protocol_.OnClosed(MakeError(Code::kFailedPrecondition, "",
                                 {.retry_after = milliseconds(5'000), .address = address}),
                       now_);
    return AdvanceToWakeUp();
  };
  EXPECT_EQ(refuse("other:2"), seconds(0));
  EXPECT_EQ(protocol_.address(), "other:2");
  EXPECT_GE(refuse("home:1"), seconds(5)) << "two processes name each other";
}

TEST_F(DriverProtocolTest, EndShiftSucceedsAndLaterCommandsFail) {
  Connect();
  pb::DriveRequest end_shift;
  end_shift.mutable_end_shift();
  Command(end_shift);
  EXPECT_TRUE(Next().has_end_shift());
  protocol_.OnClosed(absl::OkStatus(), now_);
  EXPECT_EQ(result_, absl::OkStatus());
  EXPECT_TRUE(protocol_.has_ended());
  EXPECT_EQ(protocol_.status(), absl::OkStatus());
  Command(Arrived("t"));
  EXPECT_EQ(DetailsOf(*result_).kind, ErrorKind::kStopped);
}

TEST_F(DriverProtocolTest, TimeLeftOfAnOfferIsOnTheDevicesClock) {
  Open();
  pb::DriveResponse welcome = Welcome(1);
  welcome.mutable_welcome()->set_clock_rate(10);
  welcome.mutable_welcome()->mutable_server_time()->set_seconds(1'800'000'000);
  Push(welcome);
  pb::Offer offer;
  offer.mutable_expires_at()->set_seconds(1'800'000'050);
  EXPECT_EQ(protocol_.TimeLeft(offer, now_ + seconds(2)), seconds(3));
}

}  // namespace
}  // namespace ridestream::client
