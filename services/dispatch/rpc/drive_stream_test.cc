// The driver's stream over a real server: the protocol's edges. The market is a fake that records
// what it is told; what a market decides has its own tests.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "grpcpp/grpcpp.h"
#include "libs/base/timer_queue.h"
#include "libs/rpc/caller.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/server.h"
#include "libs/rpc/status.h"
#include "libs/testing/status_matchers.h"
#include "ridestream/location/v1/location.grpc.pb.h"
#include "services/dispatch/domain/proto_values.h"
#include "services/dispatch/rpc/dispatch_service.h"
#include "services/dispatch/rpc/position_forwarder.h"
#include "services/dispatch/rpc/session_registry.h"

namespace ridestream::dispatch {
namespace {

using namespace std::chrono_literals;

/// Hands out, in order, what others put in.
template <class T>
class Inbox {
 public:
  void Put(T item) {
    MutexLock lock(mu_);
    items_.push_back(std::move(item));
    changed_.SignalAll();
  }
  /// The first that `wanted` accepts; those before it are thrown away.
  template <class Wanted>
  T WaitFor(Wanted wanted) {
    MutexLock lock(mu_);
    while (true) {
      while (!items_.empty()) {
        T item = std::move(items_.front());
        items_.pop_front();
        if (wanted(item)) return item;
      }
      changed_.Wait(mu_);
    }
  }

 private:
  Mutex mu_;
  CondVar changed_;
  std::deque<T> items_ ABSL_GUARDED_BY(mu_);
};

class FakeMarket final : public EventSink {
 public:
  bool Post(Event event) override {
    if (full_) return false;
    events_.Put(std::move(event));
    return true;
  }
  void Tell(Event event) override { events_.Put(std::move(event)); }
  /// Takes nothing any more that may be refused.
  void BecomeFull() { full_ = true; }
  template <class T>
  T WaitFor() {
    return std::get<T>(
        events_.WaitFor([](const Event& e) { return std::holds_alternative<T>(e); }));
  }

 private:
  Inbox<Event> events_;
  std::atomic<bool> full_ = false;
};

class FakeLocation final : public location::v1::LocationService::CallbackService {
 public:
  Inbox<location::v1::PositionReport> reports;

  grpc::ServerReadReactor<location::v1::ReportPositionsRequest>* ReportPositions(
      grpc::CallbackServerContext*, location::v1::ReportPositionsResponse*) override {
    return new Reader(reports);
  }

 private:
  class Reader final : public grpc::ServerReadReactor<location::v1::ReportPositionsRequest> {
   public:
    explicit Reader(Inbox<location::v1::PositionReport>& reports) : reports_(reports) {
      StartRead(&request_);
    }
    void OnReadDone(bool ok) override {
      if (!ok) return Finish(grpc::Status::OK);
      for (const auto& report : request_.positions()) reports_.Put(report);
      StartRead(&request_);
    }
    void OnDone() override { delete this; }

   private:
    Inbox<location::v1::PositionReport>& reports_;
    location::v1::ReportPositionsRequest request_;
  };
};

/// A driver's side of a stream, one call after the other. All waits end with the call's deadline.
class TestDriver {
 public:
  TestDriver(v1::DispatchService::Stub& stub, const std::string& id) {
    if (!id.empty()) rpc::SetCaller(context_, {rpc::CallerKind::kDriver, id});
    context_.set_deadline(std::chrono::system_clock::now() + 30s);
    stream_ = stub.Drive(&context_);
  }
  ~TestDriver() {
    context_.TryCancel();
    if (!finished_) Finish();
  }

  void Send(const v1::DriveRequest& request) { stream_->Write(request); }
  void SendHello(const std::string& market = "city") {
    v1::DriveRequest request;
    request.mutable_hello()->set_market(market);
    request.mutable_hello()->set_seats(4);
    if (!welcome_.session_id().empty()) {
      request.mutable_hello()->mutable_resume()->set_session_id(welcome_.session_id());
    }
    Send(request);
  }
  void SendPosition(std::uint64_t sequence) {
    v1::DriveRequest request;
    request.mutable_position()->set_sequence(sequence);
    request.mutable_position()->set_lat_e7(450'000'000);
    Send(request);
  }
  void SendAck(std::uint64_t sequence) {
    v1::DriveRequest request;
    request.mutable_ack()->set_sequence(sequence);
    Send(request);
  }
  std::optional<v1::DriveResponse> Read() {
    v1::DriveResponse response;
    if (!stream_->Read(&response)) return std::nullopt;
    return response;
  }
  /// Reads to the end.
  grpc::Status Finish() {
    finished_ = true;
    while (Read()) {
    }
    return stream_->Finish();
  }
  void Resumes(const v1::Welcome& welcome) { welcome_ = welcome; }
  const grpc::ClientContext& context() const { return context_; }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::DriveRequest, v1::DriveResponse>> stream_;
  v1::Welcome welcome_;
  bool finished_ = false;
};

class DriveStreamTest : public ::testing::Test {
 protected:
  DriveStreamTest() {
    location_server_ = *rpc::Server::Start({.services = {&location_}});
    location_stub_ = location::v1::LocationService::NewStub(location_server_->InProcessChannel());
    positions_.emplace(clock_, timers_, *location_stub_, "city");
    registry_.emplace(RegistryConfig{.session = {.max_unacked = 4}, .max_sessions = 2}, clock_,
                      timers_, [this](const MarketId& market) -> SessionRegistry::MarketPorts {
                        if (market != MarketId("city")) return {};
                        return {&market_, &*positions_, &offer_times_};
                      });
    service_.emplace(*registry_, authenticator_);
    server_ = *rpc::Server::Start(
        {.services = {&*service_}, .on_drain = {[this] { registry_->Drain(); }}});
    // Not in-process: that transport ends all calls at once when its server begins to shut down.
    stub_ = v1::DispatchService::NewStub(
        rpc::MakeChannel(fmt::format("127.0.0.1:{}", server_->port())));
  }
  ~DriveStreamTest() override {
    server_->Drain(1s);
    registry_.reset();
    positions_.reset();
  }

  /// Connects, and welcomes as the market would.
  v1::Welcome Welcome(TestDriver& driver) {
    driver.SendHello();
    const auto connected = market_.WaitFor<DriverConnected>();
    registry_->Find(connected.driver)->Welcome(connected.epoch, {});
    const auto response = driver.Read();
    EXPECT_TRUE(response && response->has_welcome());
    return response ? response->welcome() : v1::Welcome();
  }
  void PushOf(const std::string& driver, v1::DriveResponse message) {
    registry_->Find(DriverId(driver))->Push(std::move(message));
  }
  /// What a service that asks is told of a driver.
  absl::StatusOr<v1::GetDriverResponse> GetDriver(
      const std::string& driver, rpc::CallerKind caller = rpc::CallerKind::kService) {
    v1::GetDriverRequest request;
    request.set_driver_id(driver);
    return Ask(&v1::DispatchService::Stub::GetDriver, request, caller);
  }
  absl::StatusOr<v1::GetOfferStatsResponse> GetOfferStats(
      const std::string& market, rpc::CallerKind caller = rpc::CallerKind::kService) {
    v1::GetOfferStatsRequest request;
    request.set_market(market);
    return Ask(&v1::DispatchService::Stub::GetOfferStats, request, caller);
  }
  template <class Request, class Response>
  absl::StatusOr<Response> Ask(grpc::Status (v1::DispatchService::Stub::*method)(
                                   grpc::ClientContext*, const Request&, Response*),
                               const Request& request, rpc::CallerKind caller) {
    grpc::ClientContext context;
    rpc::SetCaller(context, {caller, "someone"});
    Response response;
    const grpc::Status status = (*stub_.*method)(&context, request, &response);
    if (!status.ok()) return rpc::FromGrpcStatus(status);
    return response;
  }
  void Push(const std::string& driver, std::uint64_t plan_version) {
    v1::DriveResponse message;
    message.mutable_plan()->set_version(plan_version);
    registry_->Find(DriverId(driver))->Push(message);
  }

  ManualClock clock_;
  TimerQueue timers_;
  rpc::TrustingAuthenticator authenticator_;
  FakeMarket market_;
  FakeLocation location_;
  OfferTimes offer_times_;
  std::unique_ptr<rpc::Server> location_server_;
  std::unique_ptr<location::v1::LocationService::Stub> location_stub_;
  std::optional<PositionForwarder> positions_;
  std::optional<SessionRegistry> registry_;
  std::optional<DispatchService> service_;
  std::unique_ptr<rpc::Server> server_;
  std::unique_ptr<v1::DispatchService::Stub> stub_;
};

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
  cases[3] = {"unknown market", {}, grpc::StatusCode::NOT_FOUND, "atlantis"};
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

TEST_F(DriveStreamTest, NobodyAndRidersAreRefused) {
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

TEST_F(DriveStreamTest, WhatWasNotAckedComesAgainAfterACut) {
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

TEST_F(DriveStreamTest, ADriverThatAcksNothingIsClosedAndBeginsAnew) {
  TestDriver driver(*stub_, "d-1");
  Welcome(driver);
  for (std::uint64_t version = 1; version <= 5; ++version) Push("d-1", version);
  EXPECT_EQ(driver.Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(rpc::RetryAfter(driver.context(), 0ms), 100ms);
}

TEST_F(DriveStreamTest, ADriverThatNeverReadsIsBrokenOff) {
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
  TestDriver two(*stub_, "d-2");
  Welcome(two);
  TestDriver three(*stub_, "d-3");
  three.SendHello();
  EXPECT_EQ(three.Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(rpc::RetryAfter(three.context(), 0ms), 5s);
}

TEST_F(DriveStreamTest, AStreamThatSaysNothingIsClosed) {
  TestDriver driver(*stub_, "d-1");
  while (registry_->streams() == 0) std::this_thread::yield();
  clock_.Advance(11s);
  EXPECT_EQ(driver.Finish().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
}

TEST_F(DriveStreamTest, SilenceIsToldToTheMarketAndThenEndsTheStream) {
  TestDriver driver(*stub_, "d-1");
  Welcome(driver);
  clock_.Advance(16s);
  EXPECT_EQ(market_.WaitFor<DriverSuspect>().driver, DriverId("d-1"));
  driver.SendPosition(1);
  EXPECT_EQ(market_.WaitFor<DriverHeard>().driver, DriverId("d-1"));
  clock_.Advance(61s);
  EXPECT_EQ(driver.Finish().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
}

TEST_F(DriveStreamTest, SilenceIsToldAlsoToAMarketThatIsBehind) {
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

TEST_F(DriveStreamTest, DrainingSaysGoodbye) {
  TestDriver driver(*stub_, "d-1");
  Welcome(driver);
  std::thread drain([this] { server_->Drain(5s); });
  const auto goodbye = driver.Read();
  ASSERT_TRUE(goodbye);
  EXPECT_TRUE(goodbye->has_goodbye());
  EXPECT_EQ(driver.Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  drain.join();
}

TEST_F(DriveStreamTest, TellsHowLongOffersTakeUntilTheirDriverAcksThem) {
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

TEST_F(DriveStreamTest, TellsOfOffersToServicesAndOfItsMarketsOnly) {
  EXPECT_THAT(GetOfferStats("atlantis"),
              ridestream::testing::StatusIs(absl::StatusCode::kNotFound, "atlantis"));
  EXPECT_THAT(GetOfferStats("city", rpc::CallerKind::kRider),
              ridestream::testing::StatusIs(absl::StatusCode::kPermissionDenied, ""));
}

}  // namespace
}  // namespace ridestream::dispatch
