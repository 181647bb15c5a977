#include "services/location/domain/market_index.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <functional>

#include "services/location/testing/position_reports.h"

namespace ridestream::location {
namespace {

using namespace std::chrono_literals;
using testing::IdsOf;
using testing::kHere;
using testing::kStart;
using testing::ReportOf;
using Ids = std::vector<std::string>;

const LatLng kThere = LatLng::FromDegrees(40.8, -73.9);

Ids Around(const MarketIndex& index, LatLng place, Time now = kStart) {
  return IdsOf(index.Nearest({place, 100, 1000}, now));
}

TEST(MarketIndexTest, ADriverMovesFromOnePlaceToTheOther) {
  MarketIndex index({});
  index.Apply({{ReportOf("d", kHere, 1)}}, kStart);
  EXPECT_EQ(Around(index, kHere), Ids{"d"});
  index.Apply({{ReportOf("d", kThere, 2)}}, kStart);
  EXPECT_EQ(Around(index, kHere), Ids{});
  EXPECT_EQ(Around(index, kThere), Ids{"d"});
  EXPECT_EQ(index.grid().occupied_cells(), 1u);
}

TEST(MarketIndexTest, TheNewestBySessionEpochAndSequenceWins) {
  struct Case {
    const char* name;
    std::uint64_t epoch, sequence;
    bool wins;
  };
  const Case cases[] = {
      {"next in the session", 5, 11, true},     {"far ahead in the session", 5, 1000, true},
      {"the same again", 5, 10, false},         {"older in the session", 5, 9, false},
      {"first of a newer session", 6, 0, true}, {"older session, high sequence", 4, 999, false},
  };
  for (const Case& c : cases) {
    MarketIndex index({});
    PositionReport held = ReportOf("d", kHere, 10);
    held.session_epoch = 5;
    index.Apply({{held}}, kStart);
    PositionReport next = ReportOf("d", kThere, c.sequence);
    next.session_epoch = c.epoch;
    const ApplyCounts counts = index.Apply({{next}}, kStart);
    EXPECT_EQ(counts, (ApplyCounts{.applied = c.wins, .superseded = !c.wins})) << c.name;
    EXPECT_EQ(Around(index, c.wins ? kThere : kHere), Ids{"d"}) << c.name;
    EXPECT_EQ(Around(index, c.wins ? kHere : kThere), Ids{}) << c.name;
  }
}

TEST(MarketIndexTest, PositionsThatCannotBeUsedAreRejected) {
  struct Case {
    const char* name;
    std::function<void(PositionReport&)> spoil;
  };
  static const std::string kLongId(65, 'x');
  const Case cases[] = {
      {"no driver", [](PositionReport& r) { r.driver_id = ""; }},
      {"long id", [](PositionReport& r) { r.driver_id = kLongId; }},
      {"id with a space", [](PositionReport& r) { r.driver_id = "d 1"; }},
      {"latitude", [](PositionReport& r) { r.place.lat_e7 = 900'000'001; }},
      {"longitude", [](PositionReport& r) { r.place.lng_e7 = -1'800'000'001; }},
      {"heading", [](PositionReport& r) { r.heading_deg = 360; }},
      {"free seats", [](PositionReport& r) { r.free_seats = 256; }},
      {"no state", [](PositionReport& r) { r.state = DriverState{0}; }},
      {"unknown state", [](PositionReport& r) { r.state = DriverState{6}; }},
      {"from the future", [](PositionReport& r) { r.age = -1us; }},
  };
  for (const Case& c : cases) {
    MarketIndex index({});
    PositionReport report = ReportOf("d", kHere);
    c.spoil(report);
    EXPECT_EQ(index.Apply({{report}}, kStart), ApplyCounts{.rejected = 1}) << c.name;
    EXPECT_EQ(index.size(), 0u) << c.name;
  }
}

TEST(MarketIndexTest, ADelayedPositionIsOlderByItsDelay) {
  MarketIndex index({.staleness = 30s});
  PositionReport report = ReportOf("d", kHere);
  report.age = 20s;
  index.Apply({{report}}, kStart);
  const NearbyDrivers drivers = index.Nearest({kHere, 100, 1}, kStart + 10s);
  ASSERT_EQ(drivers.size(), 1u);
  EXPECT_EQ(drivers[0].age, 30s);
  EXPECT_EQ(Around(index, kHere, kStart + 11s), Ids{});
}

TEST(MarketIndexTest, StaleDriversAreNotFound) {
  MarketIndex index({.staleness = 30s});
  ManualClock clock(kStart);
  index.Apply({{ReportOf("d", kHere)}}, clock.Now());
  clock.Advance(30s);
  EXPECT_EQ(Around(index, kHere, clock.Now()), Ids{"d"});
  EXPECT_EQ(index.Nearest({kHere, 100, 1}, clock.Now())[0].age, 30s);
  clock.Advance(1us);
  EXPECT_EQ(Around(index, kHere, clock.Now()), Ids{});
}

TEST(MarketIndexTest, StaleDriversGiveTheirPlacesToOthers) {
  MarketIndex index({.staleness = 30s, .max_drivers_per_market = 500});
  for (int round = 0; round < 5; ++round) {
    const Time now = kStart + round * 31s;
    std::vector<std::string> ids;
    for (int i = 0; i < 500; ++i) ids.push_back(fmt::format("d-{}-{}", round, i));
    std::vector<PositionReport> reports;
    for (const std::string& id : ids) reports.push_back(ReportOf(id, kHere));
    EXPECT_EQ(index.Apply(reports, now), ApplyCounts{.applied = 500}) << "round " << round;
    EXPECT_EQ(index.size(), 500u);
  }
}

TEST(MarketIndexTest, DriversBeyondTheBoundAreRejectedAndThoseWithinStillMove) {
  MarketIndex index({.max_drivers_per_market = 2});
  EXPECT_EQ(
      index.Apply({{ReportOf("a", kHere), ReportOf("b", kHere), ReportOf("c", kHere)}}, kStart),
      (ApplyCounts{.applied = 2, .rejected = 1}));
  EXPECT_EQ(index.Apply({{ReportOf("b", kThere, 2)}}, kStart).applied, 1u);
  EXPECT_EQ(Around(index, kThere), Ids{"b"});
}

TEST(MarketIndexTest, OfflineRemovesAndALateOlderPositionDoesNotBringBack) {
  MarketIndex index({});
  index.Apply({{ReportOf("d", kHere, 1)}}, kStart);
  PositionReport offline = ReportOf("d", kHere, 3);
  offline.state = DriverState::kOffline;
  EXPECT_EQ(index.Apply({{offline}}, kStart).applied, 1u);
  EXPECT_EQ(Around(index, kHere), Ids{});
  EXPECT_EQ(index.grid().occupied_cells(), 0u);
  EXPECT_EQ(index.Apply({{ReportOf("d", kHere, 2)}}, kStart).superseded, 1u);
  EXPECT_EQ(Around(index, kHere), Ids{});
  EXPECT_EQ(index.Apply({{ReportOf("d", kHere, 4)}}, kStart).applied, 1u);
  EXPECT_EQ(Around(index, kHere), Ids{"d"});
}

TEST(MarketIndexTest, OfflineDriversAreForgottenInTheEnd) {
  MarketIndex index({.staleness = 30s});
  PositionReport offline = ReportOf("d", kHere);
  offline.state = DriverState::kOffline;
  index.Apply({{offline}}, kStart);
  EXPECT_EQ(index.size(), 1u);
  index.Apply({}, kStart + 31s);
  EXPECT_EQ(index.size(), 0u);
}

}  // namespace
}  // namespace ridestream::location
