// The connections between services go silent under load, one kind after another: both ends believe
// that they are open, and nothing arrives any more.

#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "grpc/health/v1/health.grpc.pb.h"
#include "grpcpp/grpcpp.h"
#include "libs/rpc/channel.h"
#include "libs/testing/sanitizers.h"
#include "libs/testing/status_matchers.h"
#include "tests/chaos/city_process.h"
#include "tests/chaos/gate.h"
#include "tests/chaos/gated_system.h"
#include "tests/chaos/schedule.h"

namespace ridestream::chaos {
namespace {

using namespace std::chrono_literals;
using testing::IsOk;

bool NeverInterrupted() { return false; }

// Less than the 30 s of a connection without the keepalive between services (rpc::Keepalive). Under
// sanitizers, where all is slower, it shows only that the connections recover.
constexpr std::chrono::seconds kSoonerThanByDefault =
    testing::kSanitized ? std::chrono::seconds(60) : std::chrono::seconds(25);

TEST(SilentConnectionTest, OffersAreMadeAgainOverNewConnections) {
  const char* bin = std::getenv("RIDESTREAM_BIN");
  ASSERT_NE(bin, nullptr) << "run by ctest, or set RIDESTREAM_BIN to the folder of the binaries";
  const auto system = GatedSystem::Start({.bin = bin, .flags = {"--clock_rate=20"}});
  ASSERT_THAT(system, IsOk());
  const auto city = CityProcess::Start(bin, **system,
                                       {"--clock_rate=20", "--drivers=200", "--seconds=3600",
                                        "--drain_seconds=20", "--disconnect_per_hour=0"});
  ASSERT_THAT(city, IsOk());
  ASSERT_THAT((*city)->AwaitOffer(WallTime(), 60s * testing::kSlowdown, NeverInterrupted), IsOk());

  const struct {
    Link link;
    Target name;
  } links[] = {{Link::kRidersToTrip, Target::kRidersToTrip},
               {Link::kDriversToDispatch, Target::kDriversToDispatch},
               {Link::kDispatchToTrip, Target::kDispatchToTrip},
               {Link::kDispatchToLocation, Target::kDispatchToLocation}};
  for (const auto& [link, target] : links) {
    SCOPED_TRACE(Name(target));
    ASSERT_GT((*system)->gate(link).Silence(), 0u);
    const auto recovery = (*city)->AwaitRecovery(WallNow(), kSoonerThanByDefault, NeverInterrupted);
    ASSERT_THAT(recovery, IsOk());
    std::printf("%s silent: offers again after %.2f s\n", Name(target).c_str(), recovery->count());
  }
  (*city)->Stop();
  EXPECT_THAT((*city)->AwaitEnd(NeverInterrupted), IsOk()) << "the audit is clean";

  const auto report = (*city)->Report();
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ((*report)["refused"], 0) << "a rider's call failed for good";
  EXPECT_EQ((*report)["unanswered"], 0) << "a rider's call was never answered";
}

/// Counts the PING frames that request an answer in what a client sends over plaintext HTTP/2.
class PingCounter {
 public:
  void Add(std::string_view bytes) {
    constexpr std::size_t kPrefaceBytes = 24, kHeaderBytes = 9;
    constexpr char kPing = 6, kAck = 1;
    bytes_ += bytes;
    if (next_ == 0) next_ = kPrefaceBytes;
    for (; next_ + kHeaderBytes <= bytes_.size(); ++frames_) {
      const auto byte = [&](std::size_t i) {
        return static_cast<std::size_t>(static_cast<unsigned char>(bytes_[next_ + i]));
      };
      if (bytes_[next_ + 3] == kPing && (bytes_[next_ + 4] & kAck) == 0) ++pings_;
      next_ += kHeaderBytes + (byte(0) << 16 | byte(1) << 8 | byte(2));
    }
  }
  int frames() const { return frames_; }
  int pings() const { return pings_; }

 private:
  std::string bytes_;
  std::size_t next_ = 0;
  int frames_ = 0, pings_ = 0;
};

// gRPC would restart the keepalive timer with each.
TEST(SilentConnectionTest, ClientsSendNoPingsThatEstimateTheBandwidth) {
  const char* bin = std::getenv("RIDESTREAM_BIN");
  ASSERT_NE(bin, nullptr) << "run by ctest, or set RIDESTREAM_BIN to the folder of the binaries";
  const auto system = GatedSystem::Start({.bin = bin, .insecure = true});
  ASSERT_THAT(system, IsOk());
  PingCounter counter;
  auto gate = Gate::Open((*system)->location(), [&](int, bool from_client, std::string_view bytes) {
    if (from_client) counter.Add(bytes);
  });
  ASSERT_THAT(gate, IsOk());
  {
    const auto stub = grpc::health::v1::Health::NewStub(
        rpc::MakeChannel((*gate)->address(), {.credentials = grpc::InsecureChannelCredentials()}));
    for (int i = 0; i < 100; ++i) {
      grpc::ClientContext context;
      rpc::SetTimeout(context, 30s);
      grpc::health::v1::HealthCheckResponse response;
      ASSERT_TRUE(stub->Check(&context, {}, &response).ok());
    }
  }
  gate->reset();  // Ends the thread that calls the tap.
  EXPECT_GE(counter.frames(), 200) << "HEADERS and DATA of each call";
  EXPECT_EQ(counter.pings(), 0);
}

}  // namespace
}  // namespace ridestream::chaos
