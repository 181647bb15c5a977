// Compares dispatch's shared plans with the optimum.

#include "tests/bench/matching/slice.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "libs/roads/streets.h"
#include "libs/testing/status_matchers.h"
#include "tests/bench/matching/cbc_oracle.h"
#include "tests/bench/matching/still_city.h"

namespace ridestream::bench {
namespace {

using ridestream::testing::IsOk;
using std::chrono::minutes;
using ::testing::ElementsAre;
using ::testing::Optional;

constexpr std::size_t kSlices = 5;
constexpr std::size_t kRequests = 60;
/// Too few to serve each rider alone.
constexpr std::size_t kCars = 40;
constexpr std::size_t kMaxColumns = 2'000'000;
constexpr int kRounds = 200;
/// Tighter than the market's usual terms, so that all sets of riders can be enumerated.
constexpr trip::SharingTerms kTerms{minutes(4), 25, minutes(2)};

TEST(CbcOracleTest, FindsThePartitionOfLeastCost) {
  // Greedily the first column is the best; row 2 needn't be covered.
  EXPECT_THAT(CheapestPartition(3, 2, {{{0}, 1}, {{1}, 9}, {{0, 1}, 8}, {{1, 2}, 5}, {{2}, -1}}),
              Optional(ElementsAre(0u, 3u)));
  EXPECT_THAT(CheapestPartition(2, 2, {{{0}, 1}}), std::nullopt);
}

TEST(SliceTest, SharedPlansCostLittleMoreThanTheBest) {
  const char* data = std::getenv("RIDESTREAM_TEST_DATA");
  const std::string folder = std::string(data == nullptr ? "" : data) + "/manhattan/";
  if (!std::filesystem::exists(folder + "requests.csv")) {
    GTEST_SKIP() << "no " << folder << "requests.csv: set RIDESTREAM_TEST_DATA";
  }
  const auto streets = roads::Streets::Load(folder + "roads.osm.pbf");
  ASSERT_THAT(streets, IsOk());
  const roads::Router& router = (*streets)->router();
  const auto demand = loadtest::ReplayDemand(folder + "requests.csv");
  ASSERT_THAT(demand, IsOk());
  const auto fleet = loadtest::ReadFleet(folder + "drivers.csv", kCars);
  ASSERT_THAT(fleet, IsOk());
  double ours = 0, best = 0;
  for (std::size_t number = 0; number < kSlices; ++number) {
    std::vector<loadtest::Request> requests;
    while (requests.size() < kRequests) requests.push_back(*(*demand)->Next());
    const Slice slice =
        MakeSlice(router, requests, *fleet, kTerms, {}, dispatch::MatchingCosts().unmatched);
    const auto optimum = FindOptimum(slice, kMaxColumns);
    ASSERT_TRUE(optimum);
    const StillCity::Result result = StillCity(slice, router, kTerms).Run(kRounds);
    EXPECT_EQ(result.broken, 0u);
    EXPECT_GE(result.cost, optimum->cost);
    const auto seconds = [](Duration d) { return std::chrono::duration<double>(d).count(); };
    ours += seconds(result.cost);
    best += seconds(optimum->cost);
    std::printf(
        "slice %zu: cost %.0f s, %.1f %% above the best; %zu served, by the best %zu of %zu; %zu "
        "columns\n",
        number, seconds(result.cost), 100 * (seconds(result.cost) / seconds(optimum->cost) - 1),
        result.served, optimum->served, slice.riders.size(), optimum->columns);
  }
  std::printf("all: %.2f %% above the best\n", 100 * (ours / best - 1));
  EXPECT_LE(ours, best * 1.05);
}

}  // namespace
}  // namespace ridestream::bench
