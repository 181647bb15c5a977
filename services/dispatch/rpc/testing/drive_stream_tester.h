#pragma once

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
#include "libs/proto_values/proto_values.h"
#include "libs/rpc/caller.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/server.h"
#include "libs/rpc/status.h"
#include "libs/testing/status_matchers.h"
#include "ridestream/location/v1/location.grpc.pb.h"
#include "services/dispatch/drive/session_registry.h"
#include "services/dispatch/rpc/dispatch_service.h"
#include "services/dispatch/rpc/location_client.h"
#include "services/dispatch/runner/position_forwarder.h"

namespace ridestream::dispatch {

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
  void PostAlways(Event event) override { events_.Put(std::move(event)); }
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

/// Believes callers, until all proofs are said to have ended.
class EndingAuthenticator final : public rpc::Authenticator {
 public:
  absl::StatusOr<rpc::Proof> Authenticate(const grpc::ServerContextBase& context) const override {
    return trusting_.Authenticate(context);
  }
  absl::Status CheckOpenStream(const rpc::Proof&) const override {
    return ended_ ? absl::UnauthenticatedError("token: expired") : absl::OkStatus();
  }
  std::string description() const override { return trusting_.description(); }
  void EndAllProofs() { ended_ = true; }

 private:
  const rpc::TrustingAuthenticator trusting_;
  std::atomic<bool> ended_ = false;
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
  void HalfClose() { stream_->WritesDone(); }
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
    positions_.emplace(clock_, timers_, PositionStreams(*location_stub_, "city"), "city");
    registry_.emplace(
        RegistryConfig{.session = {.max_unacked = 4, .max_commands_per_s = 2}, .max_sessions = 2},
        clock_, timers_,
        [this](const MarketId& market) -> absl::StatusOr<SessionRegistry::MarketPorts> {
          if (market != MarketId("city") && market != MarketId("town")) {
            return absl::NotFoundError("'" + market.str() + "' is not served here");
          }
          return SessionRegistry::MarketPorts{&market_, &*positions_, &offer_times_};
        });
    service_.emplace(*registry_, authenticator_);
    server_ = *rpc::Server::Start(
        {.services = {&*service_}, .on_drain = {[this] { registry_->Drain(); }}});
    // Not in-process: that transport ends all calls at once when its server starts to shut down.
    channel_ = rpc::MakeChannel(fmt::format("127.0.0.1:{}", server_->port()));
    stub_ = v1::DispatchService::NewStub(channel_);
  }
  ~DriveStreamTest() override {
    server_->Drain(1s);
    registry_.reset();
    positions_.reset();
  }

  /// Connects, and welcomes as the market would.
  v1::Welcome Welcome(TestDriver& driver, const std::string& market = "city") {
    driver.SendHello(market);
    const auto connected = market_.WaitFor<DriverConnected>();
    registry_->Find(connected.driver)->Welcome(connected.epoch, {});
    const auto response = driver.Read();
    EXPECT_TRUE(response && response->has_welcome());
    return response ? response->welcome() : v1::Welcome();
  }
  void PushOf(const std::string& driver, v1::DriveResponse message) {
    registry_->Find(DriverId(driver))->Push(std::move(message));
  }
  /// The description of a driver that an operator gets.
  absl::StatusOr<v1::GetDriverResponse> GetDriver(
      const std::string& driver, rpc::CallerKind caller = rpc::CallerKind::kOperator) {
    v1::GetDriverRequest request;
    request.set_driver_id(driver);
    return Call(&v1::DispatchService::Stub::GetDriver, request, caller);
  }
  absl::StatusOr<v1::GetOfferStatsResponse> GetOfferStats(
      const std::string& market, rpc::CallerKind caller = rpc::CallerKind::kOperator) {
    v1::GetOfferStatsRequest request;
    request.set_market(market);
    return Call(&v1::DispatchService::Stub::GetOfferStats, request, caller);
  }
  template <class Request, class Response>
  absl::StatusOr<Response> Call(grpc::Status (v1::DispatchService::Stub::*method)(
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
  EndingAuthenticator authenticator_;
  FakeMarket market_;
  FakeLocation location_;
  OfferTimes offer_times_;
  std::unique_ptr<rpc::Server> location_server_;
  std::unique_ptr<location::v1::LocationService::Stub> location_stub_;
  std::optional<PositionForwarder> positions_;
  std::optional<SessionRegistry> registry_;
  std::optional<DispatchService> service_;
  std::unique_ptr<rpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::DispatchService::Stub> stub_;
};

}  // namespace ridestream::dispatch
