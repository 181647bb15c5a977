#include "services/dispatch/domain/demand/demand_map.h"

#include <algorithm>
#include <cmath>

#include "s2/s2cell_id.h"
#include "s2/s2latlng.h"

namespace ridestream::dispatch {
namespace {

/// Weight of a rider or a car in its own cell, and in each of the eight around it.
constexpr double kOwnShare = 0.5;
constexpr double kNeighbourShare = (1 - kOwnShare) / 8;
/// Assumed in every cell in advance, so that a single rider in an empty cell causes no surge.
constexpr double kAssumed = 3;
/// Ratio of riders to cars up to which there is no surge.
constexpr double kBalance = 1.5;
/// Difference from which the surge is adjusted.
constexpr double kOffPercent = 0.75 * DemandMap::kStepPercent;
/// A cell with less demand than this is dropped.
constexpr double kNegligible = 0.01;

double Faded(Duration passed, Duration memory) {
  return std::exp(-std::chrono::duration<double>(passed) / std::chrono::duration<double>(memory));
}

template <class Add>
void Spread(std::uint64_t cell, Add add) {
  add(cell, kOwnShare);
  std::vector<S2CellId> around;
  S2CellId(cell).AppendAllNeighbors(DemandMap::kCellLevel, &around);
  for (const S2CellId& neighbour : around) add(neighbour.id(), kNeighbourShare);
}

}  // namespace

std::uint64_t DemandMap::CellOf(LatLng place) {
  return S2CellId(S2LatLng::FromDegrees(place.lat(), place.lng())).parent(kCellLevel).id();
}

void DemandMap::Requested(LatLng pickup, Time at, Time now) {
  const double weight = Faded(std::max(Duration::zero(), now - at), kMemory);
  if (weight < kNegligible) return;
  Fade(now);
  Cell& cell = cells_[CellOf(pickup)];
  cell.requests += weight;
  cell.last_pickup = pickup;
}

void DemandMap::Fade(Time now) {
  if (now <= faded_at_) return;
  const double left = Faded(now - faded_at_, kMemory);
  for (auto& [id, cell] : cells_) cell.requests *= left;
  faded_at_ = now;
}

void DemandMap::Survey(std::span<const LatLng> waiting, std::span<const LatLng> free_cars,
                       Time now) {
  const double follow = surveyed_at_ ? 1 - Faded(now - *surveyed_at_, kSmoothing) : 0;
  surveyed_at_ = now;
  Fade(now);
  std::map<std::uint64_t, double> demand, supply;
  for (const auto& [id, cell] : cells_) {
    Spread(id, [&, requests = cell.requests](std::uint64_t at, double share) {
      if (requests > kNegligible) demand[at] += share * requests;
    });
  }
  for (const LatLng& place : waiting) {
    Spread(CellOf(place), [&](std::uint64_t at, double share) { demand[at] += share; });
  }
  for (const LatLng& place : free_cars) {
    Spread(CellOf(place), [&](std::uint64_t at, double share) { supply[at] += share; });
  }
  for (const auto& [id, riders] : demand) cells_.try_emplace(id);
  surge_.clear();
  for (auto it = cells_.begin(); it != cells_.end();) {
    auto& [id, cell] = *it;
    const auto wanted = demand.find(id);
    const auto there = supply.find(id);
    cell.demand = wanted == demand.end() ? 0 : wanted->second;
    cell.supply = there == supply.end() ? 0 : there->second;
    MoveSurge(cell, follow);
    if (cell.percent > 100) surge_.emplace(id, cell.percent);
    const bool quiet = cell.percent == 100 && cell.smoothed < 101;
    it = quiet && cell.requests <= kNegligible && cell.demand == 0 ? cells_.erase(it) : ++it;
  }
}

void DemandMap::MoveSurge(Cell& cell, double follow) const {
  const double ratio = (cell.demand + kAssumed) / (cell.supply + kAssumed);
  const double target =
      std::clamp(100 * ratio / kBalance, 100.0, double{1} * config_.surge_cap_percent);
  cell.smoothed += follow * (target - cell.smoothed);
  if (std::abs(cell.smoothed - cell.percent) <= kOffPercent) return;
  const auto steps = static_cast<std::uint32_t>(std::lround(cell.smoothed / kStepPercent));
  cell.percent = std::min(steps * kStepPercent, config_.surge_cap_percent);
}

std::vector<DemandMap::Shortage> DemandMap::Shortages() const {
  std::vector<Shortage> shortages;
  for (const auto& [id, cell] : cells_) {
    const double missing = cell.demand - cell.supply;
    // A cell without a request has no place to which a car could be sent.
    if (missing >= kShortage && cell.requests > kNegligible) {
      shortages.push_back({id, cell.last_pickup, missing});
    }
  }
  std::stable_sort(shortages.begin(), shortages.end(),
                   [](const Shortage& a, const Shortage& b) { return a.cars > b.cars; });
  return shortages;
}

}  // namespace ridestream::dispatch
