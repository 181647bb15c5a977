#include "services/location/domain/location_index.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>

#include "services/location/testing/position_reports.h"

namespace ridestream::location {
namespace {

using testing::IdsOf;
using testing::kHere;
using testing::kStart;
using testing::ReportOf;
using Ids = std::vector<std::string>;

Ids Around(const LocationIndex& index, std::string_view market, LatLng place) {
  return IdsOf(index.FindNearest(market, {{NearestQuery{place, 100, 10}}}, kStart).at(0));
}

TEST(LocationIndexTest, MarketsAreIndependent) {
  LocationIndex index({});
  index.Apply("manhattan", {{ReportOf("d", kHere)}}, kStart);
  EXPECT_EQ(Around(index, "manhattan", kHere), Ids{"d"});
  EXPECT_EQ(Around(index, "porto", kHere), Ids{});
  // The same driver may be elsewhere in another market, with its own sequence numbers.
  EXPECT_EQ(index.Apply("porto", {{ReportOf("d", kHere)}}, kStart).applied, 1u);
}

TEST(LocationIndexTest, AMarketBeyondTheLimitIsRejected) {
  LocationIndex index({.max_markets = 1});
  EXPECT_EQ(index.Apply("a", {{ReportOf("d", kHere)}}, kStart).applied, 1u);
  EXPECT_EQ(index.Apply("b", {{ReportOf("d", kHere), ReportOf("e", kHere)}}, kStart),
            ApplyCounts{.rejected = 2});
  EXPECT_EQ(index.Apply("a", {{ReportOf("d", kHere, 2)}}, kStart).applied, 1u);
}

TEST(LocationIndexTest, AnswersAreInTheOrderOfTheQueries) {
  LocationIndex index({});
  const LatLng there = OffsetBy(kHere, 5000, 0);
  index.Apply("m", {{ReportOf("here", kHere), ReportOf("there", there)}}, kStart);
  const std::vector<NearbyDrivers> answers =
      index.FindNearest("m", {{{there, 100, 10}, {kHere, 100, 10}, {kHere, 9000, 10}}}, kStart);
  ASSERT_EQ(answers.size(), 3u);
  EXPECT_EQ(IdsOf(answers[0]), Ids{"there"});
  EXPECT_EQ(IdsOf(answers[1]), Ids{"here"});
  EXPECT_EQ(IdsOf(answers[2]), (Ids{"here", "there"}));
}

TEST(LocationIndexTest, StatsCountTheOutcomeOfEachPosition) {
  LocationIndex index({});
  index.Apply("m", {{ReportOf("d", kHere, 2), ReportOf("d", kHere, 1), ReportOf("", kHere)}},
              kStart);
  index.Apply("m", {{ReportOf("e", kHere)}}, kStart);
  const LocationIndex::Stats stats = index.GetStats("m");
  EXPECT_EQ(stats.drivers, 2u);
  EXPECT_EQ(stats.positions, (ApplyCounts{.applied = 2, .superseded = 1, .rejected = 1}));
  EXPECT_EQ(index.GetStats("unknown").positions, ApplyCounts{});
}

// Two writers move all drivers between distant cells while readers search. Every search must find
// each driver in exactly one place. ThreadSanitizer runs this test in CI.
TEST(LocationIndexTest, ADriverIsAlwaysInExactlyOnePlace) {
  constexpr int kDrivers = 40;
  constexpr std::uint64_t kMoves = 1500;
  LocationIndex index({});
  const auto move_all = [&](int first, std::uint64_t sequence) {
    std::vector<std::string> ids;
    for (int i = first; i < first + kDrivers / 2; ++i) ids.push_back(fmt::format("d-{}", i));
    std::vector<PositionReport> reports;
    for (const std::string& id : ids) {
      const double east_m = static_cast<double>(sequence % 7) * 900;
      reports.push_back(ReportOf(id, OffsetBy(kHere, 0, east_m), sequence));
    }
    EXPECT_EQ(index.Apply("m", reports, kStart).applied, reports.size());
  };
  move_all(0, 1);
  move_all(kDrivers / 2, 1);

  std::atomic<int> writers{2};
  const auto write = [&](int first) {
    for (std::uint64_t sequence = 2; sequence < kMoves; ++sequence) move_all(first, sequence);
    --writers;
  };
  const auto expect_each_once = [](const NearbyDrivers& drivers) {
    const Ids ids = IdsOf(drivers);
    EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), size_t{kDrivers});
    EXPECT_EQ(ids.size(), size_t{kDrivers});
  };
  const auto find = [&] {
    do {
      expect_each_once(index.FindNearest("m", {{{kHere, 20'000, 1000}}}, kStart).at(0));
    } while (writers > 0);
  };
  const auto watch = [&] {
    AreaView view({OffsetBy(kHere, -20'000, -20'000), OffsetBy(kHere, 20'000, 20'000)});
    expect_each_once(index.NextFrame("m", view, kStart).drivers);
    while (writers > 0) EXPECT_TRUE(index.NextFrame("m", view, kStart).gone.empty());
  };
  std::thread threads[] = {std::thread(write, 0), std::thread(write, kDrivers / 2),
                           std::thread(find), std::thread(find), std::thread(watch)};
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace ridestream::location
