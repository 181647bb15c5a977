// The driver's stream over a real server: the protocol's edges. The market is a fake that records
// the events that it gets; the decisions of a market have their own tests.

#include <gtest/gtest.h>

#include "services/dispatch/rpc/testing/drive_stream_tester.h"

namespace ridestream::dispatch {
namespace {

TEST_F(DriveStreamTest, WelcomesAndPushes) {
  TestDriver driver(*stub_, "d-1");
  const v1::Welcome welcome = Welcome(driver);
  EXPECT_EQ(welcome.epoch(), 1u);
  EXPECT_FALSE(welcome.resumed());
  EXPECT_EQ(welcome.report_every().seconds(), 4);
  Push("d-1", 7);
  const auto push = driver.Read();
  ASSERT_TRUE(push);
  EXPECT_EQ(push->sequence(), 1u);
  EXPECT_EQ(push->plan().version(), 7u);
}

TEST_F(DriveStreamTest, PositionsReachLocation) {
  TestDriver driver(*stub_, "d-1");
  Welcome(driver);
  driver.SendPosition(3);
  const auto report = location_.reports.WaitFor([](const auto&) { return true; });
  EXPECT_EQ(report.driver_id(), "d-1");
  EXPECT_EQ(report.lat_e7(), 450'000'000);
  EXPECT_EQ(report.free_seats(), 4u);
  EXPECT_EQ(report.state(), location::v1::DRIVER_STATE_IDLE);
}

TEST_F(DriveStreamTest, AvailabilityReachesLocationWithoutANewPosition) {
  TestDriver driver(*stub_, "d-1");
  Welcome(driver);
  driver.SendPosition(1);
  const auto first = location_.reports.WaitFor([](const auto&) { return true; });
  registry_->Find(DriverId("d-1"))
      ->SetAvailability({DriverId("d-1"), location::v1::DRIVER_STATE_OCCUPIED, 1, true});
  const auto second = location_.reports.WaitFor([](const auto&) { return true; });
  EXPECT_EQ(second.state(), location::v1::DRIVER_STATE_OCCUPIED);
  EXPECT_GT(second.sequence(), first.sequence());
  driver.SendPosition(2);
  EXPECT_EQ(market_.WaitFor<DriverMoved>().driver, DriverId("d-1"));
}

TEST_F(DriveStreamTest, BadFirstMessagesEndTheStreamWithTheReason) {
  struct Case {
    const char* name;
    v1::DriveRequest request;
    grpc::StatusCode code;
    const char* part;
  };
  std::vector<Case> cases(5);
  cases[0] = {"no hello", {}, grpc::StatusCode::INVALID_ARGUMENT, "hello"};
  cases[0].request.mutable_ack();
  cases[1] = {"empty", {}, grpc::StatusCode::INVALID_ARGUMENT, "hello"};
  cases[2] = {"no market", {}, grpc::StatusCode::INVALID_ARGUMENT, "hello.market"};
  cases[2].request.mutable_hello()->set_seats(4);
  cases[3] = {"unknown market", {}, grpc::StatusCode::FAILED_PRECONDITION, "atlantis"};
  cases[3].request.mutable_hello()->set_seats(4);
  cases[3].request.mutable_hello()->set_market("atlantis");
  cases[4] = {"no seats", {}, grpc::StatusCode::INVALID_ARGUMENT, "hello.seats"};
  cases[4].request.mutable_hello()->set_market("city");
  for (const Case& c : cases) {
    TestDriver driver(*stub_, "d-1");
    driver.Send(c.request);
    const grpc::Status status = driver.Finish();
    EXPECT_EQ(status.error_code(), c.code) << c.name;
    EXPECT_NE(status.error_message().find(c.part), std::string::npos) << status.error_message();
    // Streams are counted until gRPC is through with them, and few may be open here.
    while (registry_->streams() > 0) std::this_thread::yield();
  }
}

TEST_F(DriveStreamTest, ASecondHelloEndsTheStream) {
  TestDriver driver(*stub_, "d-1");
  Welcome(driver);
  driver.SendHello();
  const grpc::Status status = driver.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_NE(status.error_message().find("twice"), std::string::npos);
}

TEST_F(DriveStreamTest, AnAckOfWhatWasNeverSentEndsTheStream) {
  TestDriver driver(*stub_, "d-1");
  Welcome(driver);
  driver.SendAck(5);
  EXPECT_EQ(driver.Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(DriveStreamTest, ACommandOutOfBoundsEndsTheStreamAndIsNotRepeated) {
  TestDriver driver(*stub_, "d-1");
  Welcome(driver);
  const std::string id(1'000, 'x');
  v1::DriveRequest request;
  request.mutable_stop_update()->set_trip_id(id);
  driver.Send(request);
  const grpc::Status status = driver.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_NE(status.error_message().find("stop_update.trip_id"), std::string::npos);
  EXPECT_EQ(status.error_message().find(id), std::string::npos);
}

TEST_F(DriveStreamTest, RefusesAnonymousCallersAndRiders) {
  TestDriver nobody(*stub_, "");
  EXPECT_EQ(nobody.Finish().error_code(), grpc::StatusCode::UNAUTHENTICATED);
  grpc::ClientContext context;
  rpc::SetCaller(context, {rpc::CallerKind::kRider, "r-1"});
  EXPECT_EQ(stub_->Drive(&context)->Finish().error_code(), grpc::StatusCode::PERMISSION_DENIED);
}

TEST_F(DriveStreamTest, ANewerStreamFencesTheOlderAndOutlivesItsEnd) {
  TestDriver older(*stub_, "d-1");
  Welcome(older);
  TestDriver newer(*stub_, "d-1");
  EXPECT_EQ(Welcome(newer).epoch(), 2u);
  EXPECT_EQ(older.Finish().error_code(), grpc::StatusCode::ABORTED);
  Push("d-1", 1);
  EXPECT_EQ(newer.Read()->plan().version(), 1u);
}

TEST_F(DriveStreamTest, SendsUnackedPushesAgainAfterACut) {
  v1::Welcome welcome;
  {
    TestDriver driver(*stub_, "d-1");
    welcome = Welcome(driver);
    Push("d-1", 1);
    EXPECT_EQ(driver.Read()->sequence(), 1u);
  }
  market_.WaitFor<DriverDisconnected>();
  Push("d-1", 2);
  TestDriver again(*stub_, "d-1");
  again.Resumes(welcome);
  EXPECT_TRUE(Welcome(again).resumed());
  EXPECT_EQ(again.Read()->plan().version(), 1u);
  EXPECT_EQ(again.Read()->plan().version(), 2u);
}

TEST_F(DriveStreamTest, DriverWithTooManyUnackedPushesGetsANewSession) {
  TestDriver driver(*stub_, "d-1");
  Welcome(driver);
  for (std::uint64_t version = 1; version <= 5; ++version) Push("d-1", version);
  EXPECT_EQ(driver.Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(rpc::RetryAfter(driver.context(), 0ms), 100ms);
}

TEST_F(DriveStreamTest, CutsADriverThatNeverReads) {
  TestDriver driver(*stub_, "d-1");
  Welcome(driver);
  const auto session = registry_->Find(DriverId("d-1"));
  // More than the transport takes: a write that never ends, and a queue that overflows behind it.
  v1::DriveResponse large;
  large.mutable_offer()->set_trip_id(std::string(1 << 20, 'x'));
  for (int i = 0; i < 6; ++i) session->Push(large);
  while (registry_->streams() > 0) {
    clock_.Advance(1s);
    std::this_thread::yield();
  }
  EXPECT_FALSE(driver.Finish().ok());
}

TEST_F(DriveStreamTest, SessionsAreLimited) {
  TestDriver one(*stub_, "d-1");
  Welcome(one);
  one.SendPosition(1);
  TestDriver two(*stub_, "d-2");
  Welcome(two);
  two.SendPosition(1);
  for (int i = 0; i < 2; ++i) location_.reports.WaitFor([](const auto&) { return true; });
  TestDriver three(*stub_, "d-3");
  three.SendHello();
  EXPECT_EQ(three.Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(rpc::RetryAfter(three.context(), 0ms), 5s);
}

TEST_F(DriveStreamTest, SilentStreamIsClosed) {
  TestDriver driver(*stub_, "d-1");
  while (registry_->streams() == 0) std::this_thread::yield();
  clock_.Advance(11s);
  EXPECT_EQ(driver.Finish().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
}

TEST_F(DriveStreamTest, SilenceIsReportedToTheMarketAndThenEndsTheStream) {
  TestDriver driver(*stub_, "d-1");
  Welcome(driver);
  clock_.Advance(16s);
  EXPECT_EQ(market_.WaitFor<DriverSuspect>().driver, DriverId("d-1"));
  driver.SendPosition(1);
  EXPECT_EQ(market_.WaitFor<DriverHeard>().driver, DriverId("d-1"));
  clock_.Advance(61s);
  EXPECT_EQ(driver.Finish().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
}

TEST_F(DriveStreamTest, ReportsSilenceToAMarketThatLagsBehind) {
  TestDriver driver(*stub_, "d-1");
  Welcome(driver);
  market_.BecomeFull();
  clock_.Advance(16s);
  EXPECT_EQ(market_.WaitFor<DriverSuspect>().driver, DriverId("d-1"));
  driver.SendPosition(1);
  EXPECT_EQ(market_.WaitFor<DriverHeard>().driver, DriverId("d-1"));
}

TEST_F(DriveStreamTest, ALongAbsentSessionIsForgottenAndTakenOffTheMap) {
  {
    TestDriver driver(*stub_, "d-1");
    Welcome(driver);
    driver.SendPosition(1);
    location_.reports.WaitFor([](const auto&) { return true; });
  }
  market_.WaitFor<DriverDisconnected>();
  clock_.Advance(11min);
  EXPECT_EQ(market_.WaitFor<SessionDropped>().driver, DriverId("d-1"));
  const auto report = location_.reports.WaitFor(
      [](const auto& r) { return r.state() == location::v1::DRIVER_STATE_OFFLINE; });
  EXPECT_EQ(report.driver_id(), "d-1");
}

TEST_F(DriveStreamTest, ADriverIsDescribedToServices) {
  TestDriver driver(*stub_, "d-1");
  Welcome(driver);
  v1::DriveResponse offer;
  offer.mutable_offer()->set_offer_id("o-1");
  PushOf("d-1", offer);
  EXPECT_EQ(GetDriver("d-1")->offer().offer_id(), "o-1");

  v1::DriveResponse ended;
  ended.mutable_offer_ended()->set_offer_id("o-1");
  PushOf("d-1", ended);
  v1::DriveResponse plan;
  plan.mutable_plan()->set_version(1);
  plan.mutable_plan()->set_route_id(5);
  plan.mutable_plan()->add_stops()->set_trip_id("t-1");
  plan.mutable_plan()->mutable_route()->set_length_m(900);
  PushOf("d-1", plan);
  // The route is not sent again, but belongs to the plan still.
  plan.mutable_plan()->set_version(2);
  plan.mutable_plan()->clear_route();
  PushOf("d-1", plan);

  const auto described = GetDriver("d-1");
  ASSERT_TRUE(described.ok()) << described.status();
  EXPECT_EQ(described->market(), "city");
  EXPECT_EQ(described->seats(), 4u);
  EXPECT_TRUE(described->connected());
  EXPECT_FALSE(described->has_offer());
  EXPECT_EQ(described->plan().version(), 2u);
  EXPECT_EQ(described->plan().route().length_m(), 900u);
  ASSERT_EQ(described->pushes_size(), 4);
  EXPECT_TRUE(described->pushes(0).has_offer());
  EXPECT_TRUE(described->pushes(1).has_offer_ended());
  EXPECT_FALSE(described->pushes(2).plan().has_route());
}

TEST_F(DriveStreamTest, OnlyTheLastPushesAreDescribed) {
  TestDriver driver(*stub_, "d-1");
  Welcome(driver);
  for (std::uint64_t version = 1; version <= 12; ++version) {
    Push("d-1", version);
    driver.SendAck(driver.Read()->sequence());
    driver.SendPosition(version);
    // The ack came before the position.
    location_.reports.WaitFor([](const auto&) { return true; });
  }
  const auto described = GetDriver("d-1");
  ASSERT_EQ(described->pushes_size(), 10);
  EXPECT_EQ(described->pushes(0).plan().version(), 3u);
  EXPECT_EQ(described->pushes(9).plan().version(), 12u);
}

TEST_F(DriveStreamTest, OnlyServicesMayAskForADriver) {
  EXPECT_EQ(GetDriver("d-1", rpc::CallerKind::kRider).status().code(),
            absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(GetDriver("d-1").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(GetDriver("not an id").status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(DriveStreamTest, DrainSendsGoodbye) {
  TestDriver driver(*stub_, "d-1");
  Welcome(driver);
  std::thread drain([this] { server_->Drain(5s); });
  const auto goodbye = driver.Read();
  ASSERT_TRUE(goodbye);
  EXPECT_EQ(goodbye->goodbye().reason(), v1::GOODBYE_REASON_DRAINING);
  EXPECT_EQ(driver.Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  drain.join();
}

TEST_F(DriveStreamTest, SendsGoodbyeWithTheReasonWhenTheTokenHasEnded) {
  TestDriver driver(*stub_, "d-1");
  Welcome(driver);
  authenticator_.EndAllProofs();
  const auto goodbye = driver.Read();
  ASSERT_TRUE(goodbye);
  EXPECT_EQ(goodbye->goodbye().reason(), v1::GOODBYE_REASON_PROOF_ENDED);
  const grpc::Status status = driver.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(status.error_message(), "token: expired");
  // The session is still the driver's.
  ASSERT_NE(registry_->Find(DriverId("d-1")), nullptr);
}

TEST_F(DriveStreamTest, ASessionIsResumedByItsDriverAlone) {
  TestDriver driver(*stub_, "d-1");
  const v1::Welcome welcome = Welcome(driver);
  TestDriver other(*stub_, "d-2");
  other.Resumes(welcome);
  const v1::Welcome fresh = Welcome(other);
  EXPECT_FALSE(fresh.resumed());
  EXPECT_NE(fresh.session_id(), welcome.session_id());
  // Nor is its stream fenced.
  Push("d-1", 1);
  const auto plan = driver.Read();
  ASSERT_TRUE(plan);
  EXPECT_TRUE(plan->has_plan());
}

TEST_F(DriveStreamTest, ReportsTheTimeUntilOffersAreAcked) {
  TestDriver driver(*stub_, "d-1");
  Welcome(driver);
  EXPECT_FALSE(GetOfferStats("city")->has_p50());
  v1::DriveResponse offer;
  offer.mutable_offer()->set_offer_id("o-1");
  *offer.mutable_offer()->mutable_decided_at() = ToProto(clock_.Now());
  *offer.mutable_offer()->mutable_expires_at() = ToProto(clock_.Now() + 15s);
  Push("d-1", 1);
  PushOf("d-1", offer);
  driver.Read();
  driver.Read();
  clock_.Advance(7ms);
  driver.SendAck(2);
  // Messages of a stream are handled in their order.
  driver.SendPosition(1);
  location_.reports.WaitFor([](const auto&) { return true; });
  const auto stats = GetOfferStats("city");
  ASSERT_THAT(stats, ridestream::testing::IsOk());
  EXPECT_EQ(stats->acked(), 1u) << "the plan is none";
  EXPECT_EQ(stats->p50().nanos(), 7'000'000);
  EXPECT_EQ(stats->p99().nanos(), 7'000'000);
}

TEST_F(DriveStreamTest, AnswersOfferStatsToServicesForServedMarketsOnly) {
  EXPECT_THAT(GetOfferStats("atlantis"),
              ridestream::testing::StatusIs(absl::StatusCode::kFailedPrecondition, "atlantis"));
  EXPECT_THAT(GetOfferStats("city", rpc::CallerKind::kRider),
              ridestream::testing::StatusIs(absl::StatusCode::kPermissionDenied, ""));
}

}  // namespace
}  // namespace ridestream::dispatch
