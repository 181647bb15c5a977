// Drivers who stop reading while a city is under load.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "grpcpp/grpcpp.h"
#include "libs/roads/streets.h"
#include "libs/rpc/caller.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/development_security.h"
#include "libs/testing/sanitizers.h"
#include "libs/testing/status_matchers.h"
#include "loadtest/demand/demand.h"
#include "ridestream/dispatch/v1/dispatch.grpc.pb.h"
#include "tests/chaos/city_process.h"
#include "tests/chaos/gated_system.h"

namespace ridestream::chaos {
namespace {

using namespace std::chrono_literals;
using testing::IsOk;

constexpr std::size_t kSlow = 100;
// Bound of the server's memory for a driver that reads nothing: the transport's window, at most 64
// unacked pushes of a KiB, and the fixed cost of a stream and a session.
constexpr std::size_t kBoundPerSlowDriver = (64 + 64 + 40) * 1024;

/// Sends Hello and positions, and never reads.
class SlowDriver {
 public:
  SlowDriver(const std::string& dispatch, const std::string& id, LatLng place)
      : stub_(dispatch::v1::DispatchService::NewStub(rpc::MakeChannel(dispatch))) {
    rpc::SetCaller(context_, {rpc::CallerKind::kDriver, id});
    stream_ = stub_->Drive(&context_);
    dispatch::v1::DriveRequest hello;
    hello.mutable_hello()->set_market("city");
    hello.mutable_hello()->set_name(id);
    hello.mutable_hello()->set_seats(4);
    stream_->Write(hello);
    position_.mutable_position()->set_lat_e7(place.lat_e7);
    position_.mutable_position()->set_lng_e7(place.lng_e7);
    Report();
  }
  ~SlowDriver() { context_.TryCancel(); }

  /// Returns false when the server has ended the stream.
  bool Report() {
    position_.mutable_position()->set_sequence(position_.position().sequence() + 1);
    return stream_->Write(position_);
  }

 private:
  grpc::ClientContext context_;
  const std::unique_ptr<dispatch::v1::DispatchService::Stub> stub_;
  std::unique_ptr<grpc::ClientReaderWriter<dispatch::v1::DriveRequest, dispatch::v1::DriveResponse>>
      stream_;
  dispatch::v1::DriveRequest position_;
};

struct Measured {
  double push_p99_ms = 0;
  std::uint64_t pushes = 0;
  std::size_t dispatch_bytes = 0;
};

class SlowReaderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* bin = std::getenv("RIDESTREAM_BIN");
    ASSERT_NE(bin, nullptr) << "run by ctest, or set RIDESTREAM_BIN to the folder of the binaries";
    bin_ = bin;
    auto system = GatedSystem::Start({.bin = bin_, .flags = {"--clock_rate=10"}});
    ASSERT_THAT(system, IsOk());
    ASSERT_THAT(rpc::UseDevelopmentAuthority((*system)->authority()), IsOk());
    system_ = *std::move(system);
  }

  /// Runs a city's load for a while; `slow` drivers report continuously, so that they appear alive
  /// and get offers.
  Measured Load(std::vector<std::unique_ptr<SlowDriver>>& slow) {
    const auto city =
        CityProcess::Start(bin_, *system_,
                           {"--clock_rate=10", "--drivers=300", "--seconds=12", "--drain_seconds=0",
                            "--seed=5", "--requests_per_hour=6000"});
    EXPECT_THAT(city, IsOk());
    if (!city.ok()) return {};
    auto reported_at = std::chrono::steady_clock::now();
    const auto report_now_and_then = [&] {
      if (std::chrono::steady_clock::now() - reported_at < 400ms) return false;
      reported_at = std::chrono::steady_clock::now();
      for (const auto& driver : slow) driver->Report();
      return false;
    };
    EXPECT_THAT((*city)->AwaitEnd(report_now_and_then), IsOk());
    const auto report = (*city)->Report();
    const auto bytes = system_->ResidentBytes(Service::kDispatch);
    EXPECT_THAT(report, IsOk());
    EXPECT_THAT(bytes, IsOk());
    if (!report.ok() || !bytes.ok()) return {};
    const auto& push = (*report)["latency_ms"]["offer_push"];
    return {push["p99"], push["count"], *bytes};
  }

  std::string bin_;
  std::unique_ptr<GatedSystem> system_;
};

TEST_F(SlowReaderTest, BoundsMemoryAndServesOtherDrivers) {
  std::vector<std::unique_ptr<SlowDriver>> slow;
  const Measured before = Load(slow);
  const auto streets = roads::Streets::Load("city:1");
  ASSERT_THAT(streets, IsOk());
  for (const auto& start : loadtest::GenerateFleet((*streets)->graph(), kSlow, 99)) {
    slow.push_back(std::make_unique<SlowDriver>(system_->dispatch(),
                                                fmt::format("slow-{}", slow.size()), start.place));
  }
  const Measured with = Load(slow);
  std::printf("offer push p99 %.2f ms without, %.2f ms with them; dispatch %zu KiB, %zu KiB\n",
              before.push_p99_ms, with.push_p99_ms, before.dispatch_bytes / 1024,
              with.dispatch_bytes / 1024);
  EXPECT_GT(before.pushes, 50u);
  if (!testing::kSanitized) {
    EXPECT_LE(with.dispatch_bytes, before.dispatch_bytes + kSlow * kBoundPerSlowDriver);
  }
  // The same load must lead to about as many offers. Their latencies are only printed: on a shared
  // machine, the p99 of some hundred pushes easily triples.
  EXPECT_GT(with.pushes, before.pushes / 2);
}

}  // namespace
}  // namespace ridestream::chaos
