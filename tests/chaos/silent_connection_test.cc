// The connections between services go silent under load, one kind after another: both ends believe
// that they are open, and nothing arrives any more.

#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "libs/testing/status_matchers.h"
#include "tests/chaos/city_process.h"
#include "tests/chaos/gated_system.h"
#include "tests/chaos/schedule.h"

namespace ridestream::chaos {
namespace {

using namespace std::chrono_literals;
using testing::IsOk;

bool NeverInterrupted() { return false; }

// Less than the 30 s of a connection without the keepalive between services (rpc::Keepalive).
constexpr std::chrono::seconds kSoonerThanByDefault{25};

TEST(SilentConnectionTest, OffersAreMadeAgainOverNewConnections) {
  const char* bin = std::getenv("RIDESTREAM_BIN");
  ASSERT_NE(bin, nullptr) << "run by ctest, or set RIDESTREAM_BIN to the folder of the binaries";
  const auto system = GatedSystem::Start({.bin = bin, .flags = {"--clock_rate=20"}});
  ASSERT_THAT(system, IsOk());
  const auto city = CityProcess::Start(bin, **system,
                                       {"--clock_rate=20", "--drivers=200", "--seconds=3600",
                                        "--drain_seconds=20", "--disconnect_per_hour=0"});
  ASSERT_THAT(city, IsOk());
  ASSERT_THAT((*city)->AwaitOffer(WallTime(), 60s, NeverInterrupted), IsOk());

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

}  // namespace
}  // namespace ridestream::chaos
