// What strangers and broken clients send on the driver's stream, over a real server: each is
// refused with the reason, and costs others nothing.

#include <gtest/gtest.h>

#include "services/dispatch/rpc/drive_call.h"
#include "services/dispatch/rpc/testing/drive_stream_tester.h"

namespace ridestream::dispatch {
namespace {

using testing::IsOk;
using testing::StatusIs;

constexpr std::size_t kMaxErrorBytes = 1'024;

class DriveLimitsTest : public DriveStreamTest {
 protected:
  /// Connects, sends the message, and returns how the stream ended.
  grpc::Status AnswerTo(const v1::DriveRequest& request) {
    TestDriver driver(*stub_, "d-1");
    Welcome(driver);
    driver.Send(request);
    return driver.Finish();
  }
  /// Sends the bytes as a message of Drive.
  grpc::Status AnswerToBytes(const std::string& bytes) {
    grpc::ClientContext context;
    rpc::SetCaller(context, {rpc::CallerKind::kDriver, "d-1"});
    context.set_deadline(std::chrono::system_clock::now() + 30s);
    grpc::internal::RpcMethod method(kDriveMethod, grpc::internal::RpcMethod::BIDI_STREAMING);
    std::unique_ptr<grpc::ClientReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer>> stream(
        grpc::internal::ClientReaderWriterFactory<grpc::ByteBuffer, grpc::ByteBuffer>::Create(
            channel_.get(), method, &context));
    const grpc::Slice slice(bytes);
    stream->Write(grpc::ByteBuffer(&slice, 1));
    grpc::ByteBuffer ignored;
    while (stream->Read(&ignored)) {
    }
    return stream->Finish();
  }
  void PositionIsKnown(TestDriver& driver) {
    driver.SendPosition(1);
    location_.reports.WaitFor([](const auto&) { return true; });
  }
  std::uint64_t Count(SessionCounter counter) { return registry_->counters().value(counter); }
};

TEST_F(DriveLimitsTest, MalformedMessageIsInvalidAndAHalfCloseIsOk) {
  const grpc::Status status = AnswerToBytes("\xff\xff\xff\xff no protobuf");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << status.error_message();
  // A string that isn't UTF-8.
  EXPECT_EQ(AnswerToBytes("\x1a\x03\x0a\x01\xff").error_code(), grpc::StatusCode::INVALID_ARGUMENT);

  TestDriver driver(*stub_, "d-1");
  Welcome(driver);
  driver.HalfClose();
  EXPECT_THAT(rpc::FromGrpcStatus(driver.Finish()), IsOk());
}

TEST_F(DriveLimitsTest, TooLargeMessageIsInvalidNamesTheBoundAndOffersNoRetry) {
  v1::DriveRequest request;
  for (const std::size_t size : {kMaxDriveRequestBytes + 1, std::size_t{1} << 20}) {
    request.mutable_offer_answer()->set_offer_id(std::string(size, 'x'));
    const grpc::Status status = AnswerTo(request);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << size;
    EXPECT_NE(status.error_message().find("4096"), std::string::npos) << status.error_message();
    EXPECT_LT(status.error_message().size(), kMaxErrorBytes);
  }
}

TEST_F(DriveLimitsTest, MessageThatGrpcRefusesNamesItsBoundAndOffersNoRetry) {
  TestDriver driver(*stub_, "d-1");
  Welcome(driver);
  v1::DriveRequest request;
  request.mutable_offer_answer()->set_offer_id(std::string(8 << 20, 'x'));
  driver.Send(request);
  const grpc::Status status = driver.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_NE(status.error_message().find("4194304"), std::string::npos) << status.error_message();
  EXPECT_EQ(rpc::RetryAfter(driver.context(), 0ms), 0ms);
}

TEST_F(DriveLimitsTest, FieldsOutOfBoundsEndTheStreamAndAreNotForwarded) {
  std::vector<std::pair<v1::DriveRequest, const char*>> cases(4);
  cases[0].first.mutable_offer_answer()->set_offer_id(std::string(65, 'x'));
  cases[0].second = "offer_answer.offer_id";
  cases[1].first.mutable_stop_update()->set_trip_id("t-1\n");
  cases[1].second = "stop_update.trip_id";
  cases[2].first.mutable_give_up()->set_trip_id("t-1");
  cases[2].first.mutable_give_up()->set_reason(std::string(257, 'x'));
  cases[2].second = "give_up.reason";
  cases[3].first.mutable_give_up()->set_trip_id("");
  cases[3].second = "give_up.trip_id";
  for (const auto& [request, field] : cases) {
    const grpc::Status status = AnswerTo(request);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << field;
    EXPECT_NE(status.error_message().find(field), std::string::npos) << status.error_message();
    EXPECT_EQ(registry_->Find(DriverId("d-1"))->unacked(), 0u) << "nothing waits for the driver";
    // What came next is the end of the stream, and not the command.
    market_.WaitFor<DriverDisconnected>();
  }
}

TEST_F(DriveLimitsTest, CommandsBeyondTheRateEndTheStreamWithAPause) {
  TestDriver driver(*stub_, "d-1");
  Welcome(driver);
  v1::DriveRequest answer;
  answer.mutable_offer_answer()->set_offer_id("o-1");
  for (int i = 0; i < 5; ++i) driver.Send(answer);
  for (int i = 0; i < 4; ++i) market_.WaitFor<OfferAnswered>();
  EXPECT_EQ(driver.Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(rpc::RetryAfter(driver.context(), 0ms), 1s);
  EXPECT_EQ(Count(SessionCounter::kTooManyCommands), 1u);
}

TEST_F(DriveLimitsTest, IgnoresAndCountsUnknownMessagesOfNewerProtocols) {
  TestDriver driver(*stub_, "d-1");
  Welcome(driver);
  v1::DriveRequest newer;
  ASSERT_TRUE(newer.ParseFromString("\xfa\x01\x02hi"));  // Field 31.
  ASSERT_EQ(newer.message_case(), v1::DriveRequest::MESSAGE_NOT_SET);
  driver.Send(newer);
  PositionIsKnown(driver);
  EXPECT_EQ(Count(SessionCounter::kUnknownMessage), 1u);
}

TEST_F(DriveLimitsTest, AnyMessageShowsThatTheDriverIsAlive) {
  TestDriver driver(*stub_, "d-1");
  Welcome(driver);
  v1::DriveRequest messages[4];
  messages[0].mutable_ack();
  messages[1].mutable_heartbeat();
  messages[2].mutable_offer_answer()->set_offer_id("o-1");
  ASSERT_TRUE(messages[3].ParseFromString("\xfa\x01\x02hi"));
  for (const v1::DriveRequest& message : messages) {
    clock_.Advance(16s);
    market_.WaitFor<DriverSuspect>();
    driver.Send(message);
    market_.WaitFor<DriverHeard>();
  }
}

TEST_F(DriveLimitsTest, DriverWhoEndsItsShiftIsOffTheMapAndBeginsInAnotherMarket) {
  TestDriver driver(*stub_, "d-1");
  Welcome(driver);
  PositionIsKnown(driver);
  v1::DriveRequest request;
  request.mutable_end_shift();
  driver.Send(request);
  const auto ended = market_.WaitFor<ShiftEnded>();
  EXPECT_EQ(ended.epoch, 1u);
  registry_->EndShift(ended.driver, ended.epoch);
  EXPECT_THAT(rpc::FromGrpcStatus(driver.Finish()), IsOk());
  market_.WaitFor<SessionDropped>();
  const auto report = location_.reports.WaitFor([](const auto&) { return true; });
  EXPECT_EQ(report.state(), location::v1::DRIVER_STATE_OFFLINE);
  TestDriver again(*stub_, "d-1");
  Welcome(again, "town");
  EXPECT_EQ(registry_->Find(DriverId("d-1"))->market(), MarketId("town"));
}

TEST_F(DriveLimitsTest, DriverOfAnotherMarketMustEndItsShift) {
  TestDriver driver(*stub_, "d-1");
  Welcome(driver);
  TestDriver again(*stub_, "d-1");
  again.SendHello("town");
  const grpc::Status status = again.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_NE(status.error_message().find("end that shift"), std::string::npos);
  const auto& trailers = again.context().GetServerTrailingMetadata();
  const auto market = trailers.find("ridestream-market");
  ASSERT_NE(market, trailers.end());
  EXPECT_EQ(std::string(market->second.data(), market->second.size()), "city");
}

TEST_F(DriveLimitsTest, EndOfShiftOfAFencedStreamChangesNothing) {
  TestDriver driver(*stub_, "d-1");
  Welcome(driver);
  registry_->EndShift(DriverId("d-1"), 7);
  PositionIsKnown(driver);
}

TEST_F(DriveLimitsTest, SessionsWithoutAPositionAreEvictedForADriver) {
  std::vector<std::unique_ptr<TestDriver>> strangers;
  for (const char* id : {"s-1", "s-2"}) {
    Welcome(*strangers.emplace_back(std::make_unique<TestDriver>(*stub_, id)));
  }
  TestDriver early(*stub_, "d-1");
  early.SendHello();
  EXPECT_EQ(early.Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED)
      << "they have only just come";
  clock_.Advance(2s);
  TestDriver driver(*stub_, "d-1");
  Welcome(driver);
  EXPECT_EQ(Count(SessionCounter::kEvicted), 1u);
  EXPECT_EQ(strangers[0]->Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(registry_->sessions(), 2u);
}

TEST_F(DriveLimitsTest, SessionsOfAbsentIdleDriversAreEvictedAndOthersAreNot) {
  for (const char* id : {"d-1", "d-2"}) {
    {
      TestDriver driver(*stub_, id);
      Welcome(driver);
      PositionIsKnown(driver);
      v1::DriveResponse plan;
      plan.mutable_plan()->set_version(1);
      plan.mutable_plan()->add_stops()->set_trip_id("t-1");
      PushOf(id, plan);
    }
    market_.WaitFor<DriverDisconnected>();
  }
  TestDriver refused(*stub_, "d-3");
  refused.SendHello();
  EXPECT_EQ(refused.Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  Push("d-2", 2);
  TestDriver driver(*stub_, "d-3");
  Welcome(driver);
  EXPECT_NE(registry_->Find(DriverId("d-1")), nullptr);
  EXPECT_EQ(registry_->Find(DriverId("d-2")), nullptr) << "its plan is over";
}

TEST_F(DriveLimitsTest, SessionsAreLimitedByAddress) {
  SessionRegistry registry({.max_sessions = 10, .max_sessions_per_address = 2}, clock_, timers_,
                           [this](const MarketId&) -> SessionRegistry::MarketPorts {
                             return {&market_, &*positions_, &offer_times_};
                           });
  v1::Hello hello;
  hello.set_market("city");
  hello.set_seats(4);
  const auto status_of = [&](const char* driver, const char* peer) {
    return registry.FindOrMake(DriverId(driver), hello, ParsePeer(peer)).status();
  };
  EXPECT_THAT(status_of("d-1", "ipv4:192.0.2.1:1"), IsOk());
  EXPECT_THAT(status_of("d-2", "ipv4:192.0.2.1:2"), IsOk());
  EXPECT_THAT(status_of("d-1", "ipv4:192.0.2.1:3"), IsOk()) << "it has its session";
  EXPECT_THAT(status_of("d-3", "ipv4:192.0.2.1:4"),
              StatusIs(absl::StatusCode::kResourceExhausted, "192.0.2.1"));
  EXPECT_THAT(status_of("d-3", "ipv4:192.0.2.2:1"), IsOk());
  EXPECT_THAT(status_of("d-2", "ipv4:192.0.2.2:2"), IsOk()) << "drivers move";
  EXPECT_THAT(status_of("d-4", "ipv4:192.0.2.1:4"), IsOk());
}

TEST_F(DriveLimitsTest, OneAddressGetsHalfOfTheSessionsUnlessItIsThisMachine) {
  SessionRegistry registry({.max_sessions = 4}, clock_, timers_,
                           [this](const MarketId&) -> SessionRegistry::MarketPorts {
                             return {&market_, &*positions_, &offer_times_};
                           });
  v1::Hello hello;
  hello.set_market("city");
  hello.set_seats(4);
  const auto admitted_from = [&](const char* peer) {
    int admitted = 0;
    for (int i = 0; i < 5; ++i) {
      const DriverId driver(fmt::format("{}-{}", peer, i));
      admitted += registry.FindOrMake(driver, hello, ParsePeer(peer)).ok() ? 1 : 0;
    }
    return admitted;
  };
  EXPECT_EQ(admitted_from("ipv4:192.0.2.1:1"), 2);
  EXPECT_EQ(admitted_from("ipv4:127.0.0.1:1"), 2) << "the rest";
}

}  // namespace
}  // namespace ridestream::dispatch
