#include "services/trip/domain/surge_table.h"

#include <gtest/gtest.h>

#include "libs/testing/status_matchers.h"
#include "s2/s2cell_id.h"
#include "s2/s2latlng.h"

namespace ridestream::trip {
namespace {

using ::ridestream::testing::IsOk;
using ::ridestream::testing::StatusIs;

const LatLng kBusy = LatLng::FromDegrees(40.75, -73.98);
const LatLng kQuiet = LatLng::FromDegrees(40.85, -73.98);
constexpr Time kSurgeNow = ScaledClock::kAnchor;

std::uint64_t CellAt(LatLng place, int level = 13) {
  return S2CellId(S2LatLng::FromDegrees(place.lat(), place.lng())).parent(level).id();
}

v1::ReportSurgeRequest Report(std::uint64_t cell, std::uint32_t percent) {
  v1::ReportSurgeRequest report;
  report.set_market("m");
  report.add_cells()->set_s2_cell_id(cell);
  report.mutable_cells(0)->set_surge_percent(percent);
  return report;
}

TEST(SurgeTableTest, IgnoresAReportThatIsOlderThanTheLast) {
  SurgeTable table;
  table.Replace(Report(CellAt(kBusy), 150), kSurgeNow);
  table.Replace(Report(CellAt(kBusy), 200), kSurgeNow - Duration(1));
  EXPECT_EQ(table.PercentAt("m", kBusy, kSurgeNow), 150U);
}

TEST(SurgeTableTest, RidesThatBeginInACellCostMore) {
  SurgeTable table;
  EXPECT_EQ(table.PercentAt("m", kBusy, kSurgeNow), 100U);
  table.Replace(Report(CellAt(kBusy), 150), kSurgeNow);
  EXPECT_EQ(table.PercentAt("m", kBusy, kSurgeNow), 150U);
  EXPECT_EQ(table.PercentAt("m", kQuiet, kSurgeNow), 100U);
  EXPECT_EQ(table.PercentAt("other", kBusy, kSurgeNow), 100U);
}

TEST(SurgeTableTest, AReportReplacesTheOneBeforeAndIsForgotten) {
  SurgeTable table;
  table.Replace(Report(CellAt(kBusy), 150), kSurgeNow);
  table.Replace(Report(CellAt(kQuiet), 120), kSurgeNow);
  EXPECT_EQ(table.PercentAt("m", kBusy, kSurgeNow), 100U);
  EXPECT_EQ(table.PercentAt("m", kQuiet, kSurgeNow + SurgeTable::kLasts), 120U);
  EXPECT_EQ(table.PercentAt("m", kQuiet, kSurgeNow + SurgeTable::kLasts + Duration(1)), 100U);
}

TEST(SurgeTableTest, AnImplausibleReportIsRefused) {
  EXPECT_THAT(ValidateSurge(Report(CellAt(kBusy), 101)), IsOk());
  EXPECT_THAT(ValidateSurge(Report(CellAt(kBusy), 1'000)), IsOk());
  for (const auto& [cell, percent, field] :
       {std::tuple(CellAt(kBusy), 100U, "cells[0].surge_percent"),
        std::tuple(CellAt(kBusy), 1'001U, "cells[0].surge_percent"),
        std::tuple(std::uint64_t{0}, 150U, "cells[0].s2_cell_id")}) {
    EXPECT_THAT(ValidateSurge(Report(cell, percent)),
                StatusIs(absl::StatusCode::kInvalidArgument, field));
  }
  for (const std::uint64_t second : {CellAt(kBusy), CellAt(kQuiet, 12)}) {
    v1::ReportSurgeRequest report = Report(CellAt(kBusy), 150);
    *report.add_cells() = Report(second, 150).cells(0);
    EXPECT_THAT(ValidateSurge(report),
                StatusIs(absl::StatusCode::kInvalidArgument, "cells[1].s2_cell_id"));
  }
  v1::ReportSurgeRequest many;
  for (int i = 0; i <= kMaxSurgeCells; ++i) many.add_cells();
  EXPECT_THAT(ValidateSurge(many), StatusIs(absl::StatusCode::kInvalidArgument, "cells"));
}

}  // namespace
}  // namespace ridestream::trip
