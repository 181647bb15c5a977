// Services on machines whose clocks differ.

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "libs/metrics/testing/scrape.h"
#include "libs/process/local_services.h"
#include "libs/roads/streets.h"
#include "libs/rpc/development_security.h"
#include "libs/testing/sanitizers.h"
#include "libs/testing/status_matchers.h"
#include "tests/e2e/test_driver.h"
#include "tests/e2e/test_rider.h"

namespace ridestream::e2e {
namespace {

using metrics::testing::ScrapeMetrics;
using metrics::testing::Sum;

struct ShiftedClock {
  const char* name;
  const char* service;
  int by_s;
  bool shared;
  /// Expected values of dispatch's metric about trip and location.
  double trip_ahead_s, location_ahead_s;
};

class ClocksTest : public ::testing::TestWithParam<ShiftedClock> {};

TEST_P(ClocksTest, ADriverBesideARiderIsOfferedTheTrip) {
  if (testing::kSanitized) GTEST_SKIP() << "sanitizers don't work with a preloaded library";
  const char* bin = std::getenv("RIDESTREAM_BIN");
  ASSERT_NE(bin, nullptr) << "run by ctest, or set RIDESTREAM_BIN to the folder of the binaries";
  const auto system = process::LocalServices::Start(
      {.bin = bin,
       .dispatch_flags = {"--match_every=200ms"},
       .environment = {{GetParam().service,
                        {{"LD_PRELOAD", SHIFTED_CLOCK},
                         {"SHIFTED_CLOCK_S", std::to_string(GetParam().by_s)}}}},
       // If the clocks differ by minutes, tokens and certificates are not valid yet, or not any
       // more.
       .insecure = std::abs(GetParam().by_s) > 60});
  ASSERT_THAT(system, testing::IsOk());
  ASSERT_THAT(rpc::UseDevelopmentAuthority((*system)->authority()), testing::IsOk());
  const auto streets = *roads::Streets::Load("city:1");
  std::mt19937_64 random(7);
  const LatLng from = roads::RandomPointOnStreet(streets->graph(), random);
  const LatLng to = roads::RandomPointOnStreet(streets->graph(), random);

  const auto driver =
      std::make_unique<TestDriver>((*system)->dispatch(), "d-1", OffsetBy(from, 100, 0));
  TestRider rider((*system)->trip(), "r-1");
  const auto trip = rider.Request(rider.Quote(from, to, GetParam().shared), "first");
  EXPECT_EQ(driver->WaitForOffer().trip_id(), trip.trip_id());

  // Dispatch compares clocks and logs the result independently of the ride. The test's timeout
  // bounds the loops.
  const auto ahead_s = [&](const std::string& peer) {
    const auto metrics = ScrapeMetrics((*system)->metrics("dispatch"));
    return metrics.ok() ? Sum(*metrics, "dispatch_clock_offset_seconds", {{"peer", peer}}) : NAN;
  };
  while (!(std::abs(ahead_s("trip") - GetParam().trip_ahead_s) < 1)) {
  }
  while (!(std::abs(ahead_s("location") - GetParam().location_ahead_s) < 1)) {
  }
  std::stringstream log;
  while (log.str().find(" W dispatch clocks_differ peer=") == std::string::npos) {
    log.str("");
    log << std::ifstream((*system)->process("dispatch").log_path()).rdbuf();
  }
}

INSTANTIATE_TEST_SUITE_P(
    , ClocksTest,
    ::testing::Values(ShiftedClock{"LocationIsAhead", "location", 45, false, 0, 45},
                      ShiftedClock{"LocationIsBehind", "location", -45, false, 0, -45},
                      ShiftedClock{"DispatchIsAhead", "dispatch", 45, false, -45, -45},
                      ShiftedClock{"DispatchIsBehind", "dispatch", -45, false, 45, 45},
                      ShiftedClock{"TripIsAhead", "trip", 700, true, 700, 0},
                      ShiftedClock{"TripIsBehind", "trip", -700, true, -700, 0}),
    [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace ridestream::e2e
