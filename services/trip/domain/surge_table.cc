#include "services/trip/domain/surge_table.h"

#include <fmt/format.h>

#include <utility>

#include "absl/container/flat_hash_set.h"
#include "s2/s2cell_id.h"
#include "s2/s2latlng.h"

namespace ridestream::trip {

absl::Status ValidateSurge(const v1::ReportSurgeRequest& report) {
  if (report.cells_size() > kMaxSurgeCells) {
    return absl::InvalidArgumentError(
        fmt::format("cells: at most {}, there are {}", kMaxSurgeCells, report.cells_size()));
  }
  absl::flat_hash_set<std::uint64_t> seen;
  for (int i = 0; i < report.cells_size(); ++i) {
    const v1::SurgeCell& reported = report.cells(i);
    const S2CellId cell(reported.s2_cell_id());
    if (!cell.is_valid()) {
      return absl::InvalidArgumentError(
          fmt::format("cells[{}].s2_cell_id: {:#x} is not an S2 cell", i, reported.s2_cell_id()));
    }
    if (cell.level() != S2CellId(report.cells(0).s2_cell_id()).level()) {
      return absl::InvalidArgumentError(
          fmt::format("cells[{}].s2_cell_id: its level is {}, which differs from the first cell's",
                      i, cell.level()));
    }
    if (!seen.insert(reported.s2_cell_id()).second) {
      return absl::InvalidArgumentError(
          fmt::format("cells[{}].s2_cell_id: {:#x} is listed twice", i, reported.s2_cell_id()));
    }
    if (reported.surge_percent() <= kNoSurgePercent ||
        reported.surge_percent() > kMaxSurgePercent) {
      return absl::InvalidArgumentError(
          fmt::format("cells[{}].surge_percent: must be {} to {}, is {}", i, kNoSurgePercent + 1,
                      kMaxSurgePercent, reported.surge_percent()));
    }
  }
  return absl::OkStatus();
}

void SurgeTable::Replace(const v1::ReportSurgeRequest& report, Time now) {
  Market market;
  market.reported_at = now;
  for (const v1::SurgeCell& cell : report.cells()) {
    market.level = S2CellId(cell.s2_cell_id()).level();
    market.cells.emplace(cell.s2_cell_id(), cell.surge_percent());
  }
  MutexLock lock(mu_);
  Market& known = markets_[report.market()];
  if (known.reported_at <= now) known = std::move(market);
}

std::uint32_t SurgeTable::PercentAt(const std::string& market, LatLng pickup, Time now) const {
  MutexLock lock(mu_);
  const auto found = markets_.find(market);
  if (found == markets_.end() || found->second.cells.empty()) return kNoSurgePercent;
  const Market& surge = found->second;
  if (now - surge.reported_at > kLasts) return kNoSurgePercent;
  const S2CellId cell(S2LatLng::FromDegrees(pickup.lat(), pickup.lng()));
  const auto percent = surge.cells.find(cell.parent(surge.level).id());
  return percent == surge.cells.end() ? kNoSurgePercent : percent->second;
}

}  // namespace ridestream::trip
