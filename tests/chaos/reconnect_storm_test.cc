// All drivers of a market lose their connections at once, while another market goes on.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "libs/base/timer_queue.h"
#include "libs/roads/streets.h"
#include "libs/rpc/caller.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/development_security.h"
#include "libs/testing/sanitizers.h"
#include "libs/testing/status_matchers.h"
#include "loadtest/demand/demand.h"
#include "loadtest/driver/cruise.h"
#include "loadtest/driver/fleet.h"
#include "ridestream/location/v1/location.grpc.pb.h"
#include "tests/chaos/gated_system.h"

namespace ridestream::chaos {
namespace {

using namespace std::chrono_literals;
using testing::IsOk;
using Wall = std::chrono::steady_clock;

constexpr std::size_t kStorming = testing::kSanitized ? 1'000 : 5'000;
constexpr std::size_t kCalm = 500;

bool WaitUntil(const std::function<bool()>& is) {
  const auto end = Wall::now() + 60s * testing::kSlowdown;
  while (!is()) {
    if (Wall::now() > end) return false;
    std::this_thread::sleep_for(20ms);  // Counters don't notify about changes.
  }
  return true;
}

/// The drivers of one market, who cruise and report positions.
class Drivers {
 public:
  Drivers(const std::string& market, std::size_t count, const std::string& dispatch,
          const roads::Streets& streets, std::shared_ptr<const Clock> clock, TimerQueue& timers)
      : cruises_(streets.router(), streets.turns()),
        fleet_(Options(market, count, dispatch, streets), cruises_, std::move(clock), timers,
               tally_, first_offers_) {
    fleet_.Start();
  }

  std::size_t online() const { return static_cast<std::size_t>(tally_.streams.value()); }
  std::uint64_t resumed() const { return tally_.streams_resumed; }
  std::uint64_t sessions_lost() const { return tally_.sessions_lost; }

 private:
  static loadtest::Fleet::Options Options(const std::string& market, std::size_t count,
                                          const std::string& dispatch,
                                          const roads::Streets& streets) {
    loadtest::Fleet::Options options;
    options.habits.market = market;
    options.habits.disconnects_per_hour = 0;
    for (std::size_t i = 0; i < 8 + count / 80; ++i) {
      options.channels.push_back(rpc::MakeChannel(dispatch, {.connection = static_cast<int>(i)}));
    }
    for (const auto& place : loadtest::GenerateFleet(streets.graph(), count, 1)) {
      const std::string id = fmt::format("{}-{}", market, options.drivers.size());
      options.drivers.push_back({DriverId(id), id, place.seats, place.place});
    }
    return options;
  }

  loadtest::Tally tally_;
  loadtest::FirstOffers first_offers_;
  loadtest::StreetCruises cruises_;
  loadtest::Fleet fleet_;
};

/// Counts positions that reach location's index.
class Index {
 public:
  explicit Index(const std::string& address)
      : stub_(location::v1::LocationService::NewStub(rpc::MakeChannel(address))) {}

  /// Positions per second that moved a driver of the market, from now until `is` holds; for at
  /// least 4 s, in which each driver reports once.
  double RateUntil(const std::string& market, const std::function<bool()>& is) {
    const auto began = Wall::now();
    const std::uint64_t before = Applied(market);
    EXPECT_TRUE(WaitUntil([&] { return is() && Wall::now() - began > 4s; }));
    const std::chrono::duration<double> passed = Wall::now() - began;
    return static_cast<double>(Applied(market) - before) / passed.count();
  }

 private:
  std::uint64_t Applied(const std::string& market) {
    grpc::ClientContext context;
    rpc::SetCaller(context, {rpc::CallerKind::kOperator, "test"});
    rpc::SetTimeout(context, 10s);
    location::v1::GetIndexStatsRequest request;
    location::v1::GetIndexStatsResponse stats;
    request.set_market(market);
    const grpc::Status status = stub_->GetIndexStats(&context, request, &stats);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return stats.applied();
  }

  const std::unique_ptr<location::v1::LocationService::Stub> stub_;
};

TEST(ReconnectStormTest, AllDriversOfAMarketReconnectWithoutAffectingAnotherMarket) {
  const char* bin = std::getenv("RIDESTREAM_BIN");
  ASSERT_NE(bin, nullptr) << "run by ctest, or set RIDESTREAM_BIN to the folder of the binaries";
  const std::string markets = "--markets=storm=city:1,calm=city:2";
  const auto system =
      GatedSystem::Start({.bin = bin, .trip_flags = {markets}, .dispatch_flags = {markets}});
  ASSERT_THAT(system, IsOk());
  ASSERT_THAT(rpc::UseDevelopmentAuthority((*system)->authority()), IsOk());
  const auto storm_streets = roads::Streets::Load("city:1");
  const auto calm_streets = roads::Streets::Load("city:2");
  const auto clock = std::make_shared<ScaledClock>();
  TimerQueue timers;
  // Only the storm's drivers come through the gate.
  Drivers calm("calm", kCalm, (*system)->dispatch_past_the_gate(), **calm_streets, clock, timers);
  Drivers storm("storm", kStorming, (*system)->dispatch(), **storm_streets, clock, timers);
  ASSERT_TRUE(WaitUntil([&] { return calm.online() == kCalm && storm.online() == kStorming; }));

  Index index((*system)->location());
  const double before = index.RateUntil("calm", [] { return true; });
  const auto cut_at = Wall::now();
  EXPECT_GT((*system)->gate(Link::kDriversToDispatch).Cut(), 0u);
  std::chrono::duration<double> back_after{0};
  const double during = index.RateUntil("calm", [&] {
    if (storm.resumed() < kStorming || storm.online() < kStorming) return false;
    if (back_after.count() == 0) back_after = Wall::now() - cut_at;
    return true;
  });
  std::printf("all back after %.2f s; the calm market's positions/s: %.0f before, %.0f during\n",
              back_after.count(), before, during);
  EXPECT_GE(storm.resumed(), kStorming);
  EXPECT_EQ(storm.sessions_lost(), 0u);
  // Behind the storm it would be none. A busy machine costs some.
  EXPECT_GE(during, before / 4);
}

}  // namespace
}  // namespace ridestream::chaos
