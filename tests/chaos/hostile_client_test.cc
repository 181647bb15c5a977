// Clients that send garbage, stay silent, or hold calls open forever neither crash a service nor
// slow down others.

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "grpcpp/grpcpp.h"
#include "libs/base/host_port.h"
#include "libs/roads/streets.h"
#include "libs/rpc/caller.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/development_security.h"
#include "libs/testing/status_matchers.h"
#include "ridestream/dispatch/v1/dispatch.grpc.pb.h"
#include "ridestream/location/v1/location.grpc.pb.h"
#include "ridestream/trip/v1/trip.grpc.pb.h"
#include "tests/chaos/gated_system.h"

namespace ridestream::chaos {
namespace {

using namespace std::chrono_literals;
using testing::IsOk;
using Wall = std::chrono::steady_clock;

constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A connection on which any bytes may be sent.
class RawConnection {
 public:
  explicit RawConnection(const std::string& address)
      : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(ParseHostPort(address).value().port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof(to)), 0);
  }
  ~RawConnection() { close(socket_); }
  RawConnection(const RawConnection&) = delete;
  RawConnection& operator=(const RawConnection&) = delete;

  /// The other side may have closed, which is permitted.
  void Send(std::string_view bytes) {
    (void)send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }

 private:
  const int socket_;
};

std::string RandomBytes(std::mt19937& random, std::size_t size) {
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

/// A frame of random type and flags, with the length that its header says.
std::string RandomFrame(std::mt19937& random) {
  const std::string payload = RandomBytes(random, random() % 200);
  std::string frame = {0, 0, static_cast<char>(payload.size())};
  frame += static_cast<char>(random() % 12);
  frame += RandomBytes(random, 5);
  return frame + payload;
}

/// For the i-th stream of hostile clients, which fill connections apart from ours.
std::shared_ptr<grpc::Channel> OthersChannel(const std::string& address, int i) {
  constexpr int kStreamsPerConnection = 100;
  return rpc::MakeChannel(address, {.connection = 1 + i / kStreamsPerConnection});
}

class HostileClientTest : public ::testing::Test {
 protected:
  void SetUp() override { StartServices(/*insecure=*/false); }

  void StartServices(bool insecure) {
    const char* bin = std::getenv("RIDESTREAM_BIN");
    ASSERT_NE(bin, nullptr) << "run by ctest, or set RIDESTREAM_BIN to the folder of the binaries";
    auto system =
        GatedSystem::Start({.bin = bin, .flags = {"--clock_rate=10"}, .insecure = insecure});
    ASSERT_THAT(system, IsOk());
    system_ = *std::move(system);
    ASSERT_THAT(rpc::UseDevelopmentAuthority(system_->authority()), IsOk());
    trip_ = trip::v1::TripService::NewStub(rpc::MakeChannel(system_->trip()));
    location_ = location::v1::LocationService::NewStub(rpc::MakeChannel(system_->location()));
    dispatch_ = dispatch::v1::DispatchService::NewStub(rpc::MakeChannel(system_->dispatch()));
  }

  /// The median time of a well-behaved client's calls, none of which may fail.
  std::chrono::microseconds MedianCall() {
    std::vector<std::chrono::microseconds> times;
    for (int i = 0; i < 100; ++i) {
      const auto began = Wall::now();
      grpc::ClientContext context;
      rpc::SetCaller(context, {rpc::CallerKind::kRider, fmt::format("r-{}", ++riders_)});
      rpc::SetTimeout(context, 10s);
      trip::v1::ListTripsResponse response;
      EXPECT_TRUE(trip_->ListTrips(&context, {}, &response).ok());
      times.push_back(std::chrono::floor<std::chrono::microseconds>(Wall::now() - began));
    }
    std::nth_element(times.begin(), times.begin() + 50, times.end());
    return times[50];
  }
  bool LocationAnswers() {
    grpc::ClientContext context;
    rpc::SetCaller(context, {rpc::CallerKind::kOperator, "test"});
    rpc::SetTimeout(context, 10s);
    location::v1::GetIndexStatsRequest request;
    request.set_market("city");
    location::v1::GetIndexStatsResponse response;
    return location_->GetIndexStats(&context, request, &response).ok();
  }
  bool DispatchAnswers() {
    grpc::ClientContext context;
    rpc::SetCaller(context, {rpc::CallerKind::kDriver, fmt::format("d-{}", ++riders_)});
    rpc::SetTimeout(context, 10s);
    const auto stream = dispatch_->Drive(&context);
    dispatch::v1::DriveRequest hello;
    hello.mutable_hello()->set_market("city");
    hello.mutable_hello()->set_seats(4);
    dispatch::v1::DriveResponse response;
    const bool welcomed = stream->Write(hello) && stream->Read(&response) && response.has_welcome();
    context.TryCancel();
    return welcomed;
  }
  void ExpectNothingFelt(std::chrono::microseconds before) {
    // A burst of other work on the machine delays one measurement, hostile clients delay them all.
    constexpr int kMeasurements = 5;
    auto with = MedianCall();
    for (int i = 1; i < kMeasurements && with > 3 * before + 2ms; ++i) with = MedianCall();
    std::printf("median call %ld us before, %ld us with them\n", static_cast<long>(before.count()),
                static_cast<long>(with.count()));
    EXPECT_LE(with, 3 * before + 2ms);
    EXPECT_TRUE(LocationAnswers());
    EXPECT_TRUE(DispatchAnswers());
  }

  std::unique_ptr<GatedSystem> system_;
  std::unique_ptr<trip::v1::TripService::Stub> trip_;
  std::unique_ptr<location::v1::LocationService::Stub> location_;
  std::unique_ptr<dispatch::v1::DispatchService::Stub> dispatch_;
  int riders_ = 0;
};

/// Without a certificate garbage gets no further than the handshake, so gRPC's HTTP/2 layer sees it
/// only in plaintext.
class GarbageTest : public HostileClientTest, public ::testing::WithParamInterface<bool> {
 protected:
  void SetUp() override { StartServices(/*insecure=*/GetParam()); }
};

TEST_P(GarbageTest, DoesNotDelayOtherClients) {
  const auto before = MedianCall();
  std::mt19937 random(1);
  std::vector<std::unique_ptr<RawConnection>> connections;
  for (const std::string& address : {system_->trip(), system_->location(), system_->dispatch()}) {
    for (int i = 0; i < 100; ++i) {
      auto& connection = *connections.emplace_back(std::make_unique<RawConnection>(address));
      if (i % 3 == 0) {
        connection.Send(RandomBytes(random, 4'096));
      } else {
        connection.Send(kPreface);
        for (int frame = 0; i % 3 == 1 && frame < 20; ++frame) connection.Send(RandomFrame(random));
        // The last third says nothing further.
      }
    }
  }
  ExpectNothingFelt(before);
}

INSTANTIATE_TEST_SUITE_P(, GarbageTest, ::testing::Bool(), [](const auto& insecure) {
  return insecure.param ? "InPlaintext" : "InsteadOfTls";
});

TEST_F(HostileClientTest, ClosesSilentStreams) {
  const auto before = MedianCall();
  struct Silent {
    grpc::ClientContext context;
    std::unique_ptr<
        grpc::ClientReaderWriter<dispatch::v1::DriveRequest, dispatch::v1::DriveResponse>>
        stream;
  };
  std::vector<std::unique_ptr<Silent>> streams;
  for (int i = 0; i < 500; ++i) {
    auto& silent = *streams.emplace_back(std::make_unique<Silent>());
    rpc::SetCaller(silent.context, {rpc::CallerKind::kDriver, fmt::format("silent-{}", i)});
    silent.stream = dispatch::v1::DispatchService::NewStub(OthersChannel(system_->dispatch(), i))
                        ->Drive(&silent.context);  // Without a deadline.
  }
  ExpectNothingFelt(before);
  for (const auto& silent : streams) {
    EXPECT_EQ(silent->stream->Finish().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  }
}

TEST_F(HostileClientTest, UnreadCallsDoNotDelayOtherClients) {
  const auto before = MedianCall();
  // More viewers than permitted, none of which ever reads.
  struct Viewer {
    grpc::ClientContext context;
    std::unique_ptr<grpc::ClientReader<location::v1::WatchAreaResponse>> stream;
  };
  const auto streets = roads::Streets::Load("city:1");
  ASSERT_THAT(streets, IsOk());
  location::v1::WatchAreaRequest request;
  request.set_market("city");
  const roads::BoundingBox& bounds = (*streets)->graph().bounds();
  request.mutable_south_west()->set_lat_e7(bounds.south_west.lat_e7);
  request.mutable_south_west()->set_lng_e7(bounds.south_west.lng_e7);
  request.mutable_north_east()->set_lat_e7(bounds.north_east.lat_e7);
  request.mutable_north_east()->set_lng_e7(bounds.north_east.lng_e7);
  request.set_interval_ms(100);
  std::vector<std::unique_ptr<Viewer>> viewers;
  for (int i = 0; i < 150; ++i) {
    auto& viewer = *viewers.emplace_back(std::make_unique<Viewer>());
    rpc::SetCaller(viewer.context, {rpc::CallerKind::kOperator, "viewer"});
    viewer.stream = location::v1::LocationService::NewStub(OthersChannel(system_->location(), i))
                        ->WatchArea(&viewer.context, request);
  }
  ExpectNothingFelt(before);
  for (const auto& viewer : viewers) viewer->context.TryCancel();
}

}  // namespace
}  // namespace ridestream::chaos
