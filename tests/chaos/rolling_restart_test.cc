// Each service is restarted by SIGTERM under load, one after another, as in a deployment.

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>

#include "libs/testing/sanitizers.h"
#include "libs/testing/status_matchers.h"
#include "tests/chaos/city_process.h"
#include "tests/chaos/gated_system.h"

namespace ridestream::chaos {
namespace {

using namespace std::chrono_literals;
using testing::IsOk;

bool NeverStopped() { return false; }

TEST(RollingRestartTest, NoCallFailsAndDriversReconnectQuickly) {
  const char* bin = std::getenv("RIDESTREAM_BIN");
  ASSERT_NE(bin, nullptr) << "run by ctest, or set RIDESTREAM_BIN to the folder of the binaries";
  const auto system = GatedSystem::Start({.bin = bin, .flags = {"--clock_rate=20"}});
  ASSERT_THAT(system, IsOk());
  constexpr int kDrivers = 200;
  const auto city =
      CityProcess::Start(bin, **system,
                         {"--clock_rate=20", "--drivers=" + std::to_string(kDrivers),
                          "--seconds=3600", "--drain_seconds=60", "--disconnect_per_hour=0"});
  ASSERT_THAT(city, IsOk());
  ASSERT_THAT((*city)->AwaitOffer(WallTime(), 60s * testing::kSlowdown, NeverStopped), IsOk());
  std::chrono::duration<double, std::milli> longest_outage{0};
  for (const Service service : {Service::kTrip, Service::kLocation, Service::kDispatch}) {
    const auto began = std::chrono::steady_clock::now();
    ASSERT_THAT((*system)->Restart(service), IsOk());
    ASSERT_THAT((*city)->AwaitOffer(WallNow(), 60s * testing::kSlowdown, NeverStopped), IsOk())
        << "offers flow again";
    longest_outage = std::max<decltype(longest_outage)>(longest_outage,
                                                        std::chrono::steady_clock::now() - began);
  }
  (*city)->Stop();
  EXPECT_THAT((*city)->AwaitEnd(NeverStopped), IsOk());

  const auto report = (*city)->Report();
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ((*report)["audit"]["violations"], 0);
  EXPECT_EQ((*report)["refused"], 0) << "a rider's call failed for good";
  EXPECT_EQ((*report)["unanswered"], 0) << "a rider's call was never answered";
  EXPECT_GT((*report)["requested"], 0);
  const auto& reconnect = (*report)["latency_ms"]["reconnect"];
  EXPECT_GE(reconnect["count"], kDrivers) << "each driver's stream ended once, and was back";
  // Compared with the outage itself, because a busy machine delays both. Dispatch spreads drivers
  // over another 2 s.
  EXPECT_LE(reconnect["max"], 5 * longest_outage.count() + 2'000);
}

}  // namespace
}  // namespace ridestream::chaos
