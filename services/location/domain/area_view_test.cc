#include "services/location/domain/area_view.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>

#include "services/location/testing/position_reports.h"

namespace ridestream::location {
namespace {

using namespace std::chrono_literals;
using testing::IdsOf;
using testing::kStart;
using testing::ReportOf;
using testing::SortedIdsOf;
using Ids = std::vector<std::string>;

const Area kArea{LatLng::FromDegrees(40.7, -74.0), LatLng::FromDegrees(40.8, -73.9)};
const LatLng kInside = LatLng::FromDegrees(40.75, -73.95);
const LatLng kInsideToo = LatLng::FromDegrees(40.7500001, -73.95);
const LatLng kOutside = LatLng::FromDegrees(40.85, -73.95);

class AreaViewTest : public ::testing::Test {
 protected:
  void Apply(const PositionReport& report) {
    ASSERT_EQ(index_.Apply({{report}}, kStart).applied, 1u);
  }

  MarketIndex index_{{.staleness = 30s}};
  AreaView view_{kArea};
};

TEST_F(AreaViewTest, TheFirstFrameIsASnapshotOfTheArea) {
  Apply(ReportOf("b", kInside));
  Apply(ReportOf("a", kInside));
  Apply(ReportOf("elsewhere", kOutside));
  const AreaFrame frame = view_.NextFrame(&index_, kStart);
  EXPECT_TRUE(frame.snapshot);
  EXPECT_EQ(SortedIdsOf(frame.drivers), (Ids{"a", "b"}));
  EXPECT_TRUE(frame.gone.empty());
}

TEST_F(AreaViewTest, AMarketWithoutAnIndexIsEmptyUntilItHasOne) {
  EXPECT_TRUE(view_.NextFrame(nullptr, kStart).snapshot);
  Apply(ReportOf("a", kInside));
  const AreaFrame frame = view_.NextFrame(&index_, kStart);
  EXPECT_FALSE(frame.snapshot);
  EXPECT_EQ(IdsOf(frame.drivers), Ids{"a"});
}

TEST_F(AreaViewTest, OnlyChangesAreSentAgain) {
  struct Case {
    const char* name;
    PositionReport next;
    Ids drivers;
    Ids gone;
  };
  PositionReport turned = ReportOf("d", kInside, 2);
  turned.heading_deg = 90;
  PositionReport occupied = ReportOf("d", kInside, 2);
  occupied.state = DriverState::kOccupied;
  PositionReport fuller = ReportOf("d", kInside, 2);
  fuller.free_seats = 1;
  PositionReport offline = ReportOf("d", kInside, 2);
  offline.state = DriverState::kOffline;
  const Case cases[] = {
      {"stands still", ReportOf("d", kInside, 2), {}, {}},
      {"moves", ReportOf("d", kInsideToo, 2), {"d"}, {}},
      {"turns", turned, {"d"}, {}},
      {"takes passengers", occupied, {"d"}, {}},
      {"has fewer seats", fuller, {"d"}, {}},
      {"leaves the area", ReportOf("d", kOutside, 2), {}, {"d"}},
      {"goes offline", offline, {}, {"d"}},
  };
  for (const Case& c : cases) {
    MarketIndex index({});
    AreaView view(kArea);
    index.Apply({{ReportOf("d", kInside), ReportOf("other", kInside)}}, kStart);
    view.NextFrame(&index, kStart);
    index.Apply({{c.next}}, kStart);
    const AreaFrame frame = view.NextFrame(&index, kStart);
    EXPECT_FALSE(frame.snapshot) << c.name;
    EXPECT_EQ(IdsOf(frame.drivers), c.drivers) << c.name;
    EXPECT_EQ(IdsOf(frame.gone), c.gone) << c.name;
    const AreaFrame quiet = view.NextFrame(&index, kStart);
    EXPECT_TRUE(quiet.drivers.empty() && quiet.gone.empty()) << c.name;
  }
}

TEST_F(AreaViewTest, AStaleDriverIsGoneAndIsNewWhenItReportsAgain) {
  Apply(ReportOf("d", kInside));
  view_.NextFrame(&index_, kStart);
  EXPECT_EQ(IdsOf(view_.NextFrame(&index_, kStart + 31s).gone), Ids{"d"});
  index_.Apply({{ReportOf("d", kInside, 2)}}, kStart + 31s);
  EXPECT_EQ(IdsOf(view_.NextFrame(&index_, kStart + 31s).drivers), Ids{"d"});
}

TEST_F(AreaViewTest, ASlowViewerGetsTheNewestAtOnce) {
  Apply(ReportOf("d", kInside, 1));
  view_.NextFrame(&index_, kStart);
  for (std::uint64_t sequence = 2; sequence <= 100; ++sequence) {
    PositionReport report = ReportOf("d", kInside, sequence);
    report.heading_deg = static_cast<std::uint32_t>(sequence);
    Apply(report);
  }
  const AreaFrame frame = view_.NextFrame(&index_, kStart);
  ASSERT_EQ(frame.drivers.size(), 1u);
  EXPECT_EQ(frame.drivers[0].heading_deg, 100u);
}

TEST_F(AreaViewTest, AFrameIsBoundedAndTheRestFollows) {
  constexpr int kDrivers = 100;
  const auto move_all = [&](std::uint64_t sequence) {
    for (int i = 0; i < kDrivers; ++i) {
      const std::string id = fmt::format("d-{:03}", i);
      PositionReport report = ReportOf(id, OffsetBy(kInside, i * 30, i * 30), sequence);
      report.heading_deg = static_cast<std::uint32_t>(sequence);
      Apply(report);
    }
  };
  AreaView view(kArea, 30);
  // All drivers change before every frame, and still each driver is reported within four frames.
  std::set<std::string> sent;
  for (std::uint64_t frame_number = 1; frame_number <= 4; ++frame_number) {
    move_all(frame_number);
    const AreaFrame frame = view.NextFrame(&index_, kStart);
    EXPECT_LE(frame.drivers.size(), 30u);
    for (const NearbyDriver& driver : frame.drivers) sent.insert(driver.id.str());
  }
  EXPECT_EQ(sent.size(), size_t{kDrivers});
  // All drivers become stale at the same time.
  std::set<std::string> gone;
  for (int frame_number = 1; frame_number <= 4; ++frame_number) {
    const AreaFrame frame = view.NextFrame(&index_, kStart + 31s);
    EXPECT_LE(frame.gone.size(), 30u);
    for (const DriverId& driver : frame.gone) EXPECT_TRUE(gone.insert(driver.str()).second);
  }
  EXPECT_EQ(gone, sent);
}

TEST_F(AreaViewTest, AForgottenDriverThatReturnsIsSentAsNew) {
  Apply(ReportOf("d", kInside));
  view_.NextFrame(&index_, kStart);
  index_.Apply({}, kStart + 60s);
  ASSERT_EQ(index_.size(), 0u);
  index_.Apply({{ReportOf("d", kInside, 2)}}, kStart + 60s);
  const AreaFrame frame = view_.NextFrame(&index_, kStart + 60s);
  EXPECT_EQ(IdsOf(frame.drivers), Ids{"d"});
  EXPECT_EQ(IdsOf(frame.gone), Ids{}) << "it is there: gone would take it off the map";
}

}  // namespace
}  // namespace ridestream::location
