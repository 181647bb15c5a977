// What strangers send to the door by raw HTTP/2 (endless CONTINUATION, resets, pings, too many
// streams, no reads) reaches no service, takes bounded memory, and makes nobody else's call fail.

#include "libs/process/door.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "grpcpp/grpcpp.h"
#include "libs/metrics/testing/scrape.h"
#include "libs/process/local_services.h"
#include "libs/rpc/caller.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/development_security.h"
#include "libs/testing/sanitizers.h"
#include "libs/testing/status_matchers.h"
#include "ridestream/dispatch/v1/dispatch.grpc.pb.h"
#include "ridestream/location/v1/location.grpc.pb.h"
#include "ridestream/trip/v1/trip.grpc.pb.h"
#include "tests/door/raw_http2.h"

namespace ridestream::door {
namespace {

using namespace std::chrono_literals;
using testing::IsOk;

constexpr std::string_view kGetTrip = "/ridestream.trip.v1.TripService/GetTrip";
constexpr std::string_view kWatchTrip = "/ridestream.trip.v1.TripService/WatchTrip";
/// The stranger's address; others connect from 127.0.0.1.
constexpr const char* kStranger = "127.0.0.2";
constexpr std::size_t kMib = 1 << 20;

class DoorTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* bin = std::getenv("RIDESTREAM_BIN");
    ASSERT_NE(bin, nullptr) << "run by ctest, or set RIDESTREAM_BIN to the folder of the binaries";
    auto services = process::LocalServices::Start({.bin = bin});
    ASSERT_THAT(services, IsOk());
    services_ = *std::move(services);
    ASSERT_THAT(rpc::UseDevelopmentAuthority(services_->authority()), IsOk());
    // Without TLS at the front, because the bytes are HTTP/2 made by hand.
    OpenDoor(/*tls=*/false);
    if (door_ == nullptr) return;
    const rpc::ChannelOptions plaintext{.credentials = grpc::InsecureChannelCredentials()};
    trip_ = trip::v1::TripService::NewStub(rpc::MakeChannel(door_->address(), plaintext));
    dispatch_ =
        dispatch::v1::DispatchService::NewStub(rpc::MakeChannel(door_->address(), plaintext));
    ASSERT_TRUE(OthersAreServed());  // Warms everything up for the measurements that follow.
    before_ = Memory();
  }

  /// Skips the test where there is no HAProxy.
  void OpenDoor(bool tls) {
    process::Door::Options options;
    options.tls = tls;
    options.config = "deploy/door/haproxy.cfg";
    options.trip = services_->trip();
    options.dispatch = services_->dispatch();
    options.folder = services_->folder();
    options.authority = services_->authority();
    options.max_requests = kMaxRequests;
    options.max_connections = kMaxConnections;
    auto door = process::Door::Start(options);
    if (absl::IsNotFound(door.status())) GTEST_SKIP() << door.status().message();
    ASSERT_THAT(door, IsOk());
    door_ = *std::move(door);
  }

  bool OthersAreServed() {
    grpc::ClientContext list;
    rpc::SetCaller(list, {rpc::CallerKind::kRider, "ada"});
    rpc::SetTimeout(list, 10s);
    trip::v1::ListTripsResponse trips;
    const grpc::Status listed = trip_->ListTrips(&list, {}, &trips);
    EXPECT_TRUE(listed.ok()) << listed.error_message();

    grpc::ClientContext drive;
    rpc::SetCaller(drive, {rpc::CallerKind::kDriver, fmt::format("d-{}", ++drivers_)});
    rpc::SetTimeout(drive, 10s);
    const auto stream = dispatch_->Drive(&drive);
    dispatch::v1::DriveRequest hello;
    hello.mutable_hello()->set_market("city");
    hello.mutable_hello()->set_seats(4);
    dispatch::v1::DriveResponse response;
    const bool welcomed = stream->Write(hello) && stream->Read(&response) && response.has_welcome();
    EXPECT_TRUE(welcomed);
    drive.TryCancel();
    return listed.ok() && welcomed;
  }

  std::size_t Memory() const {
    std::size_t sum = 0;
    for (const process::ChildProcess* process :
         {&services_->process("trip"), &services_->process("dispatch"), &door_->process()}) {
      const auto bytes = process->ResidentBytes();
      EXPECT_THAT(bytes, IsOk());
      sum += bytes.value_or(0);
    }
    return sum;
  }

  void ExpectNothingFelt() {
    EXPECT_TRUE(OthersAreServed());
    EXPECT_TRUE(services_->Ended().empty());
    if (testing::kSanitized) return;  // Sanitizers retain freed memory.
    const std::size_t now = Memory();
    EXPECT_LE(now, before_ + 64 * kMib)
        << "trip, dispatch and the door grew by " << (now - before_) / kMib << " MiB";
  }

  static constexpr int kMaxRequests = 2'000;
  static constexpr int kMaxConnections = 50;

  std::unique_ptr<process::LocalServices> services_;
  std::unique_ptr<process::Door> door_;
  std::unique_ptr<trip::v1::TripService::Stub> trip_;
  std::unique_ptr<dispatch::v1::DispatchService::Stub> dispatch_;
  int drivers_ = 0;
  std::size_t before_ = 0;
};

TEST_F(DoorTest, ClosesConnectionsThatSendEndlessHeaders) {
  RawHttp2 stranger(door_->address(), kStranger);
  ASSERT_TRUE(stranger.Send(Frame(FrameType::kHeaders, 0, 1, RequestHeaders(kGetTrip))));
  const std::string more = Frame(FrameType::kContinuation, 0, 1, std::string(16'000, '\0'));
  while (stranger.sent() < 18 * kMib && stranger.Send(more)) stranger.Skim();
  EXPECT_LT(stranger.sent(), 18 * kMib);
  EXPECT_TRUE(stranger.AwaitClose(10s));
  ExpectNothingFelt();
}

TEST_F(DoorTest, RapidResetsReachTripAtMostAtTheRateOfRequests) {
  const std::string block = RequestHeaders(kGetTrip);
  const std::string cancel("\0\0\0\x08", 4);
  RawHttp2 stranger(door_->address(), kStranger);
  bool open = true;
  for (std::uint32_t stream = 1; open && stream < 2 * 200'000; stream += 2) {
    open = stranger.Send(Frame(FrameType::kHeaders, kEndHeaders, stream, block) +
                         Frame(FrameType::kRstStream, 0, stream, cancel)) &&
           stranger.Skim();
  }
  ExpectNothingFelt();
  const auto metrics = metrics::testing::ScrapeMetrics(services_->metrics("trip"));
  ASSERT_THAT(metrics, IsOk());
  EXPECT_LE(metrics::testing::Sum(*metrics, "trip_rpc_calls_total", {{"method", "GetTrip"}}),
            2 * kMaxRequests);
}

TEST_F(DoorTest, StopsFloodsOfPingsAndSettingsThatAreNotRead) {
  for (const std::string& frame :
       {Frame(FrameType::kPing, 0, 0, "12345678"), Frame(FrameType::kSettings, 0, 0, "")}) {
    RawHttp2 stranger(door_->address(), kStranger);
    std::string frames;
    for (int i = 0; i < 1'000; ++i) frames += frame;
    // The stranger never reads its answers, so HAProxy may wait for it.
    while (stranger.sent() < 64 * kMib && stranger.Send(frames, 500ms)) {
    }
    EXPECT_LT(stranger.sent(), 64 * kMib);
    ExpectNothingFelt();
  }
}

TEST_F(DoorTest, ServesOthersWhenAClientOpensManyStreams) {
  RawHttp2 stranger(door_->address(), kStranger);
  const std::string block = RequestHeaders(kWatchTrip);
  bool open = true;
  for (std::uint32_t stream = 1; open && stream < 2 * 1'000; stream += 2) {
    open = stranger.Send(Frame(FrameType::kHeaders, kEndHeaders, stream, block)) && stranger.Skim();
  }
  ExpectNothingFelt();
}

TEST_F(DoorTest, ConnectionsOfAnAddressAreLimited) {
  std::vector<std::unique_ptr<RawHttp2>> connections;
  for (int i = 0; i < 4 * kMaxConnections; ++i) {
    connections.push_back(std::make_unique<RawHttp2>(door_->address(), kStranger));
  }
  // HAProxy's threads may handle connections in another order than we made them.
  std::size_t closed = 0;
  // Ends before silence closes the other connections.
  const auto end = std::chrono::steady_clock::now() + 5s;
  while (closed < 3 * kMaxConnections && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(10ms);
    closed = static_cast<std::size_t>(
        std::count_if(connections.begin(), connections.end(),
                      [](const auto& connection) { return !connection->Skim(); }));
  }
  EXPECT_EQ(closed, 3u * kMaxConnections);
  ExpectNothingFelt();
}

TEST_F(DoorTest, ServicesKnowClientsByTheAddressThatTheDoorSaw) {
  grpc::ClientContext context;
  rpc::SetCaller(context, {rpc::CallerKind::kDriver, "nosy"});
  rpc::SetTimeout(context, 10s);
  context.AddMetadata("x-forwarded-for", "203.0.113.9");  // Anybody can send this header.
  trip::v1::ListTripsResponse trips;
  ASSERT_EQ(trip_->ListTrips(&context, {}, &trips).error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
  // A client named by the door has no port. The test's timeout bounds the loop.
  std::string log;
  while (log.find(" caller=driver/nosy ") == std::string::npos) {
    std::stringstream text;
    text << std::ifstream(services_->process("trip").log_path()).rdbuf();
    log = text.str();
  }
  EXPECT_NE(log.find(" caller=driver/nosy peer=ipv4:127.0.0.1:0 "), std::string::npos) << log;
  EXPECT_EQ(log.find("203.0.113.9"), std::string::npos);
}

TEST_F(DoorTest, OtherServicesAreNotReachable) {
  const auto location = location::v1::LocationService::NewStub(
      rpc::MakeChannel(door_->address(), {.credentials = grpc::InsecureChannelCredentials()}));
  grpc::ClientContext context;
  rpc::SetCaller(context, {rpc::CallerKind::kOperator, "test"});
  rpc::SetTimeout(context, 10s);
  location::v1::FindNearestResponse response;
  EXPECT_EQ(location->FindNearest(&context, {}, &response).error_code(),
            grpc::StatusCode::UNIMPLEMENTED);
}

TEST_F(DoorTest, AppsWithoutACertificateAreServedOnlyThroughTheDoor) {
  OpenDoor(/*tls=*/true);
  std::stringstream authority;
  authority << std::ifstream(services_->authority() + "/authority.pem").rdbuf();
  const auto call = [&](const std::string& address,
                        const std::shared_ptr<grpc::ChannelCredentials>& credentials) {
    const auto stub =
        trip::v1::TripService::NewStub(rpc::MakeChannel(address, {.credentials = credentials}));
    grpc::ClientContext context;
    rpc::SetCaller(context, {rpc::CallerKind::kRider, "ada"});
    rpc::SetTimeout(context, 10s);
    trip::v1::ListTripsResponse trips;
    return stub->ListTrips(&context, {}, &trips).error_code();
  };
  grpc::SslCredentialsOptions without_certificate;
  without_certificate.pem_root_certs = authority.str();
  const auto tls = grpc::SslCredentials(without_certificate);
  EXPECT_EQ(call(door_->address(), tls), grpc::StatusCode::OK);
  EXPECT_EQ(call(services_->trip(), tls), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(call(door_->address(), grpc::InsecureChannelCredentials()),
            grpc::StatusCode::UNAVAILABLE);
}

}  // namespace
}  // namespace ridestream::door
