#include "services/location/domain/cell_grid.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "s2/s2cell.h"
#include "s2/s2cell_id.h"
#include "s2/s2latlng_rect.h"

namespace ridestream::location {
namespace {

// An empty cell keeps the memory of up to this many entries for its next use.
constexpr size_t kKeptCapacity = 64;

Area BoundsOf(S2CellId id) {
  // A margin of 10^-6 degrees covers the rounding to 10^-7.
  const S2LatLngRect rect =
      S2Cell(id).GetRectBound().Expanded(S2LatLng::FromDegrees(1e-6, 1e-6)).PolarClosure();
  if (rect.lng().is_full()) {
    return {{rect.lat_lo().e7(), -1'800'000'000}, {rect.lat_hi().e7(), 1'800'000'000}};
  }
  return {{rect.lat_lo().e7(), rect.lng_lo().e7()}, {rect.lat_hi().e7(), rect.lng_hi().e7()}};
}

}  // namespace

UnitVector ToUnitVector(LatLng place) {
  constexpr double kRadiansPerE7 = std::numbers::pi / 180 / 1e7;
  const double lat = place.lat_e7 * kRadiansPerE7;
  const double lng = place.lng_e7 * kRadiansPerE7;
  const double cos_lat = std::cos(lat);
  return {cos_lat * std::cos(lng), cos_lat * std::sin(lng), std::sin(lat)};
}

double ChordSquaredFromM(double distance_m) {
  const double angle = std::clamp(distance_m / kEarthRadiusM, 0.0, std::numbers::pi);
  const double chord = 2 * std::sin(angle / 2);
  return chord * chord;
}

double MFromChordSquared(double chord_squared) {
  return 2 * kEarthRadiusM * std::asin(std::min(1.0, std::sqrt(chord_squared) / 2));
}

CellGrid::CellGrid(int level) : level_(level) {}

void CellGrid::Place(std::uint32_t slot, LatLng place, DriverState state, std::uint8_t free_seats) {
  if (slot >= locations_.size()) locations_.resize(slot + 1);
  const UnitVector at = ToUnitVector(place);
  const std::uint64_t cell_id = S2CellId(S2Point(at.x, at.y, at.z)).parent(level_).id();
  Location& location = locations_[slot];
  if (location.cell != kNowhere && cells_[location.cell].id == cell_id) {
    cells_[location.cell].entries[location.index] = {at, slot, state, free_seats};
    return;
  }
  Remove(slot);
  const std::uint32_t cell = OccupyCell(cell_id);
  std::vector<Entry>& entries = cells_[cell].entries;
  location = {cell, static_cast<std::uint32_t>(entries.size())};
  entries.push_back({at, slot, state, free_seats});
}

void CellGrid::Remove(std::uint32_t slot) {
  if (slot >= locations_.size() || locations_[slot].cell == kNowhere) return;
  RemoveAt(std::exchange(locations_[slot], Location{}));
}

void CellGrid::RemoveAt(Location location) {
  Cell& cell = cells_[location.cell];
  if (location.index + 1 != cell.entries.size()) {
    cell.entries[location.index] = cell.entries.back();
    locations_[cell.entries[location.index].slot].index = location.index;
  }
  cell.entries.pop_back();
  if (!cell.entries.empty()) return;
  if (cell.entries.capacity() > kKeptCapacity) cell.entries = {};
  by_id_.erase(cell.id);
  empty_cells_.push_back(location.cell);
}

std::uint32_t CellGrid::OccupyCell(std::uint64_t cell_id) {
  const auto [found, is_new] = by_id_.try_emplace(cell_id, 0);
  if (!is_new) return found->second;
  if (empty_cells_.empty()) {
    empty_cells_.push_back(static_cast<std::uint32_t>(cells_.size()));
    cells_.emplace_back();
  }
  const std::uint32_t cell = empty_cells_.back();
  empty_cells_.pop_back();
  cells_[cell].id = cell_id;
  cells_[cell].bounds = BoundsOf(S2CellId(cell_id));
  found->second = cell;
  return cell;
}

const CellGrid::Cell* CellGrid::Find(std::uint64_t cell_id) const {
  const auto found = by_id_.find(cell_id);
  return found == by_id_.end() ? nullptr : &cells_[found->second];
}

}  // namespace ridestream::location
