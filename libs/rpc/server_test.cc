#include "libs/rpc/server.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <utility>

#include "absl/synchronization/notification.h"
#include "libs/rpc/caller.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/status.h"
#include "libs/testing/status_matchers.h"
#include "ridestream/location/v1/location.grpc.pb.h"

namespace ridestream::rpc {
namespace {

using namespace std::chrono_literals;
using location::v1::FindNearestRequest;
using location::v1::FindNearestResponse;
using location::v1::ReportPositionsRequest;
using testing::IsOk;
using testing::StatusIs;

/// Answers FindNearest with what the test sets.
class OneAnswer final : public location::v1::LocationService::CallbackService {
 public:
  absl::Status answer;
  /// Answers the next call instead, if set.
  std::optional<absl::Status> next_answer;
  grpc::ServerUnaryReactor* FindNearest(grpc::CallbackServerContext* context,
                                        const FindNearestRequest*, FindNearestResponse*) override {
    auto* reactor = context->DefaultReactor();
    reactor->Finish(
        ToGrpcStatus(std::exchange(next_answer, std::nullopt).value_or(answer), context));
    return reactor;
  }
  grpc::ServerWriteReactor<location::v1::WatchAreaResponse>* WatchArea(
      grpc::CallbackServerContext*, const location::v1::WatchAreaRequest*) override {
    class Cut final : public grpc::ServerWriteReactor<location::v1::WatchAreaResponse> {
     public:
      Cut() { Finish(grpc::Status(grpc::StatusCode::UNAVAILABLE, "cut")); }
      void OnDone() override { delete this; }
    };
    return new Cut;
  }
};

TEST(ServerTest, APortInUseIsAnErrorThatNamesIt) {
  const auto first = Server::Start({});
  ASSERT_THAT(first, IsOk());
  const std::string address = fmt::format("127.0.0.1:{}", (*first)->port());
  EXPECT_THAT(Server::Start({.address = address}),
              StatusIs(absl::StatusCode::kUnavailable, address));
}

TEST(ServerTest, DrainNotifiesTheServicesOnce) {
  int drains = 0;
  auto server = *Server::Start({.on_drain = {[&] { ++drains; }}});
  server->Drain(1s);
  server->Drain(1s);
  server.reset();
  EXPECT_EQ(drains, 1);
}

TEST(ServerTest, AStatusCrossesTheWireWithItsDetails) {
  OneAnswer service;
  service.answer = WithRetryAfter(absl::ResourceExhaustedError("too many"), 1500ms);
  service.answer = WithAddress(WithMarket(service.answer, "porto"), "10.0.0.7:7003");
  auto server = *Server::Start({.services = {&service}});
  const auto stub = location::v1::LocationService::NewStub(server->InProcessChannel());
  grpc::ClientContext context;
  SetTimeout(context, 10s);
  FindNearestResponse response;
  const absl::Status status = FromGrpcStatus(stub->FindNearest(&context, {}, &response));
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kResourceExhausted, "too many"));
  EXPECT_EQ(RetryAfter(context, 0ms), 1500ms);
  const auto trailer = [&](const char* key) {
    const auto found = context.GetServerTrailingMetadata().find(key);
    return found == context.GetServerTrailingMetadata().end()
               ? ""
               : std::string(found->second.data(), found->second.size());
  };
  EXPECT_EQ(trailer("ridestream-market"), "porto");
  EXPECT_EQ(trailer("ridestream-address"), "10.0.0.7:7003");
}

TEST(ServerTest, AReactionMayReleaseTheLastInProcessChannel) {
  struct Call {
    grpc::ClientContext context;
    FindNearestRequest request;
    FindNearestResponse response;
    absl::Notification answered;
    absl::Notification server_gone;
  };
  OneAnswer service;
  for (int i = 0; i < 100; ++i) {
    auto server = *Server::Start({.services = {&service}});
    const auto call = std::make_shared<Call>();
    location::v1::LocationService::NewStub(server->InProcessChannel())
        ->async()
        ->FindNearest(&call->context, &call->request, &call->response,
                      [call](const grpc::Status& status) {
                        EXPECT_TRUE(status.ok()) << status.error_message();
                        call->answered.Notify();
                        call->server_gone.WaitForNotification();
                      });
    call->answered.WaitForNotification();
    server.reset();
    call->server_gone.Notify();
  }
}

TEST(ServerTest, AChannelToSeveralServersCallsTheHealthyOne) {
  OneAnswer holder, standby;
  holder.answer = absl::AlreadyExistsError("the holder");
  standby.answer = absl::AlreadyExistsError("the standby");
  auto first = *Server::Start({.services = {&holder}});
  auto second = *Server::Start({.services = {&standby}});
  second->SetServing(false);
  const auto channel =
      MakeChannel(fmt::format("127.0.0.1:{},127.0.0.1:{}", second->port(), first->port()));
  const auto stub = location::v1::LocationService::NewStub(channel);
  const auto expect_all_answered_by = [&](const char* name) {
    for (int i = 0; i < 10; ++i) {
      grpc::ClientContext context;
      SetTimeout(context, 30s);
      context.set_wait_for_ready(true);
      FindNearestResponse response;
      EXPECT_THAT(FromGrpcStatus(stub->FindNearest(&context, {}, &response)),
                  StatusIs(absl::StatusCode::kAlreadyExists, name));
    }
  };
  expect_all_answered_by("the holder");
  first.reset();
  // No server is running.
  grpc::ClientContext context;
  SetTimeout(context, 30s);
  FindNearestResponse response;
  EXPECT_THAT(FromGrpcStatus(stub->FindNearest(&context, {}, &response)),
              StatusIs(absl::StatusCode::kUnavailable, ""));
  second->SetServing(true);
  expect_all_answered_by("the standby");
}

std::unique_ptr<location::v1::LocationService::Stub> RetryingStub(int port) {
  return location::v1::LocationService::NewStub(
      MakeChannel(fmt::format("127.0.0.1:{}", port),
                  {.retried_services = {location::v1::LocationService::service_full_name()}}));
}

TEST(ServerTest, RetriedServicesHideAnUnavailableServer) {
  OneAnswer service;
  auto server = *Server::Start({.services = {&service}});
  const int port = server->port();
  const auto stub = RetryingStub(port);
  const auto call = [&] {
    grpc::ClientContext context;
    context.set_wait_for_ready(true);
    SetTimeout(context, 20s);
    FindNearestResponse response;
    return FromGrpcStatus(stub->FindNearest(&context, {}, &response));
  };
  EXPECT_THAT(call(), IsOk());
  server.reset();
  server = *Server::Start({.address = fmt::format("127.0.0.1:{}", port), .services = {&service}});
  EXPECT_THAT(call(), IsOk());
}

TEST(ServerTest, AUnaryCallIsRetriedThoughManyStreamsWereCut) {
  OneAnswer service;
  auto server = *Server::Start({.services = {&service}});
  const auto stub = RetryingStub(server->port());
  for (int i = 0; i < 600; ++i) {
    grpc::ClientContext context;
    SetTimeout(context, 30s);
    const auto stream = stub->WatchArea(&context, {});
    EXPECT_THAT(FromGrpcStatus(stream->Finish()), StatusIs(absl::StatusCode::kUnavailable, "cut"));
  }
  for (const absl::Status& refusal :
       {absl::UnavailableError("restarting"), absl::CancelledError("draining")}) {
    service.next_answer = refusal;
    grpc::ClientContext context;
    SetTimeout(context, 30s);
    FindNearestResponse response;
    EXPECT_THAT(FromGrpcStatus(stub->FindNearest(&context, {}, &response)), IsOk());
    EXPECT_EQ(service.next_answer, std::nullopt);
  }
}

/// Refuses each stream of positions at its end.
class NoPositions final : public location::v1::LocationService::CallbackService {
 public:
  std::atomic<int> messages = 0;

  grpc::ServerReadReactor<ReportPositionsRequest>* ReportPositions(
      grpc::CallbackServerContext*, location::v1::ReportPositionsResponse*) override {
    class Reader final : public grpc::ServerReadReactor<ReportPositionsRequest> {
     public:
      explicit Reader(std::atomic<int>& messages) : messages_(messages) { StartRead(&request_); }
      void OnReadDone(bool ok) override {
        if (!ok) return Finish(grpc::Status(grpc::StatusCode::UNAVAILABLE, "refused"));
        ++messages_;
        StartRead(&request_);
      }
      void OnDone() override { delete this; }

     private:
      std::atomic<int>& messages_;
      ReportPositionsRequest request_;
    };
    return new Reader(messages);
  }
};

TEST(ServerTest, AClientsStreamIsNeverRetried) {
  NoPositions service;
  auto server = *Server::Start({.services = {&service}});
  const auto stub = RetryingStub(server->port());
  grpc::ClientContext context;
  SetTimeout(context, 30s);
  location::v1::ReportPositionsResponse response;
  const auto stream = stub->ReportPositions(&context, &response);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(stream->Write({}));
  stream->WritesDone();
  EXPECT_THAT(FromGrpcStatus(stream->Finish()),
              StatusIs(absl::StatusCode::kUnavailable, "refused"));
  EXPECT_EQ(service.messages, 3);
}

}  // namespace
}  // namespace ridestream::rpc
