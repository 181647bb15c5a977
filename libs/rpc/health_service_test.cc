#include "libs/rpc/health_service.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <vector>

#include "libs/rpc/channel.h"
#include "libs/rpc/server.h"
#include "libs/rpc/status.h"
#include "libs/testing/status_matchers.h"

namespace ridestream::rpc {
namespace {

using namespace std::chrono_literals;
using grpc::health::v1::Health;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using testing::StatusIs;

class HealthServiceTest : public ::testing::Test {
 protected:
  struct WatchCall {
    grpc::ClientContext context;
    std::unique_ptr<grpc::ClientReader<HealthCheckResponse>> reader;

    HealthCheckResponse::ServingStatus Next() {
      HealthCheckResponse response;
      return reader->Read(&response) ? response.status() : HealthCheckResponse::UNKNOWN;
    }
  };

  std::unique_ptr<WatchCall> Watch(const std::string& service = "") {
    auto call = std::make_unique<WatchCall>();
    SetTimeout(call->context, 60s);
    HealthCheckRequest request;
    request.set_service(service);
    // A connection carries 100 streams.
    call->reader = stubs_[next_++ % stubs_.size()]->Watch(&call->context, request);
    return call;
  }

  std::unique_ptr<Server> server_ = *Server::Start({.health_parts = {"porto", "lisbon"}});
  // Over sockets, because on gRPC's in-process transport a write, and therefore Drain, waits for
  // the reader.
  std::vector<std::unique_ptr<Health::Stub>> stubs_ = MakeStubs();
  std::size_t next_ = 0;

 private:
  std::vector<std::unique_ptr<Health::Stub>> MakeStubs() const {
    std::vector<std::unique_ptr<Health::Stub>> stubs;
    for (int i = 0; i < 4; ++i) {
      stubs.push_back(Health::NewStub(
          MakeChannel(fmt::format("127.0.0.1:{}", server_->port()), {.connection = i})));
    }
    return stubs;
  }
};

TEST_F(HealthServiceTest, WatchReceivesEachChangeAndEndsWhenTheServerDrains) {
  const auto watch = Watch();
  EXPECT_EQ(watch->Next(), HealthCheckResponse::SERVING);
  server_->SetServing(false);
  EXPECT_EQ(watch->Next(), HealthCheckResponse::NOT_SERVING);
  server_->SetServing(true);
  EXPECT_EQ(watch->Next(), HealthCheckResponse::SERVING);
  server_->Drain(10s);
  EXPECT_EQ(watch->Next(), HealthCheckResponse::NOT_SERVING);
  EXPECT_THAT(FromGrpcStatus(watch->reader->Finish()),
              StatusIs(absl::StatusCode::kUnavailable, "shutting down"));
}

TEST_F(HealthServiceTest, PartHasAHealthOfItsOwn) {
  const auto check = [&](const char* part) {
    grpc::ClientContext context;
    HealthCheckRequest request;
    request.set_service(part);
    HealthCheckResponse response;
    EXPECT_THAT(FromGrpcStatus(stubs_[0]->Check(&context, request, &response)), testing::IsOk());
    return response.status();
  };
  const auto watch = Watch("porto");
  EXPECT_EQ(watch->Next(), HealthCheckResponse::NOT_SERVING);
  server_->SetServing("lisbon", true);
  server_->SetServing("porto", true);
  EXPECT_EQ(watch->Next(), HealthCheckResponse::SERVING);
  server_->SetServing(false);
  server_->SetServing("lisbon", false);
  EXPECT_EQ(check(""), HealthCheckResponse::NOT_SERVING);
  EXPECT_EQ(check("lisbon"), HealthCheckResponse::NOT_SERVING);
  EXPECT_EQ(check("porto"), HealthCheckResponse::SERVING);
  server_->Drain(10s);
  EXPECT_EQ(watch->Next(), HealthCheckResponse::NOT_SERVING);
}

TEST_F(HealthServiceTest, RefusesAWatchBeyondTheLimitUntilAnotherEnds) {
  std::vector<std::unique_ptr<WatchCall>> watches;
  for (std::size_t i = 0; i < HealthService::kMaxWatches; ++i) {
    watches.push_back(Watch());
    ASSERT_EQ(watches.back()->Next(), HealthCheckResponse::SERVING) << i;
  }
  const auto refused = Watch();
  EXPECT_EQ(refused->Next(), HealthCheckResponse::UNKNOWN);
  EXPECT_THAT(FromGrpcStatus(refused->reader->Finish()),
              StatusIs(absl::StatusCode::kResourceExhausted, "256 health watches"));
  watches.front()->context.TryCancel();
  // The server notices a moment later.
  while (Watch()->Next() != HealthCheckResponse::SERVING) {
  }
}

TEST_F(HealthServiceTest, ReportsAnUnknownServiceWithoutRepeatingItsName) {
  const auto watch = Watch("ridestream.nobody");
  EXPECT_EQ(watch->Next(), HealthCheckResponse::SERVICE_UNKNOWN);
  grpc::ClientContext context;
  HealthCheckRequest request;
  request.set_service("ridestream.nobody\x1b[2J");
  HealthCheckResponse response;
  const absl::Status status = FromGrpcStatus(stubs_[0]->Check(&context, request, &response));
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kNotFound, "service: "));
  EXPECT_EQ(status.message().find("nobody"), absl::string_view::npos) << status;
}

}  // namespace
}  // namespace ridestream::rpc
