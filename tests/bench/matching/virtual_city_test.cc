#include "tests/bench/matching/virtual_city.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "libs/testing/status_matchers.h"
#include "tests/bench/matching/comparison.h"

namespace ridestream::bench {
namespace {

using ridestream::testing::IsOk;
using ridestream::testing::StatusIs;

class VirtualCityTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto streets = roads::Streets::Load("city:1");
    ASSERT_THAT(streets, IsOk());
    streets_ = *std::move(streets);
  }

  VirtualCityOptions Options(std::uint64_t seed = 1) const {
    VirtualCityOptions options;
    options.seed = seed;
    options.market.market = MarketId("city");
    options.market.offer_id_prefix = "o-";
    options.fleet = loadtest::GenerateFleet(streets_->graph(), 40, seed + 1);
    const auto demand = loadtest::GenerateDemand(streets_->graph(), 1'200, seed);
    while (options.requests.size() < 200) options.requests.push_back(*demand->Next());
    options.shared_probability = 1;
    return options;
  }
  CityResult Run(const Method& method, VirtualCityOptions options) {
    return VirtualCity(With(std::move(options), method), *streets_).Run();
  }

  std::unique_ptr<roads::Streets> streets_;
};

TEST(CheckMethodKeysTest, ListsTheMethodsForAnother) {
  EXPECT_THAT(CheckMethodKeys({}), IsOk());
  EXPECT_THAT(CheckMethodKeys({"assignment", "shared_search"}), IsOk());
  EXPECT_THAT(CheckMethodKeys({"assignment", "foo"}),
              StatusIs(absl::StatusCode::kInvalidArgument, "no method 'foo', only nearest_line, "));
}

TEST_F(VirtualCityTest, EachMethodServesTheCity) {
  for (const Method& method : ComparedMethods()) {
    SCOPED_TRACE(method.key);
    const CityResult result = Run(method, Options());
    EXPECT_EQ(result.requests, 200u);
    EXPECT_EQ(result.refused, 0u);
    EXPECT_GT(result.served, 60u);
    EXPECT_EQ(result.violations, 0u);
    EXPECT_GT(result.wait_mean_s, 10);
    EXPECT_GT(result.empty_share, 0.01);
    EXPECT_LT(result.empty_share, 0.9);
    EXPECT_EQ(result.shared, method.riders_share ? 200u : 0u);
    if (method.riders_share) {
      EXPECT_GT(result.riders_per_car, 1.1) << "nobody shared";
    } else {
      EXPECT_NEAR(result.riders_per_car, 1, 1e-9);
      EXPECT_NEAR(result.detour, 0, 0.1) << "cars don't drive as the road graph says";
    }
  }
}

TEST_F(VirtualCityTest, NoPromiseIsBrokenWhileCarsDriveAsTheRoadGraphSays) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    for (const Method& method : ComparedMethods()) {
      if (!method.riders_share) continue;
      SCOPED_TRACE(fmt::format("{}, seed {}", method.key, seed));
      const CityResult result = Run(method, Options(seed));
      EXPECT_EQ(result.shared, 200u);
      EXPECT_GT(result.served, 150u);
      EXPECT_EQ(result.broken_promises, 0u);
      EXPECT_EQ(result.promises_broken, 0u);
    }
  }
}

TEST_F(VirtualCityTest, TheSameSeedGivesTheSameCityToTheBit) {
  for (const Method& method : ComparedMethods()) {
    SCOPED_TRACE(method.key);
    EXPECT_EQ(Run(method, Options()).fingerprint, Run(method, Options()).fingerprint);
  }
  VirtualCityOptions other = Options();
  other.seed = 2;
  EXPECT_NE(Run(ComparedMethods()[2], Options()).fingerprint,
            Run(ComparedMethods()[2], other).fingerprint);
}

TEST_F(VirtualCityTest, ARequestWithoutARouteIsRefused) {
  VirtualCityOptions options = Options();
  options.requests.resize(20);
  options.requests[3].dropoff = LatLng{0, 0};
  options.requests[7].pickup = LatLng{0, 0};
  const CityResult result = Run(ComparedMethods()[2], std::move(options));
  EXPECT_EQ(result.refused, 2u);
  EXPECT_EQ(result.served, 18u);
}

TEST_F(VirtualCityTest, MoreRidersThanAnyCarHasSeatsAreNotServed) {
  VirtualCityOptions options = Options();
  options.requests.resize(20);
  options.requests[3].party_size = 8;
  EXPECT_EQ(Run(ComparedMethods()[4], std::move(options)).served, 19u);
}

}  // namespace
}  // namespace ridestream::bench
