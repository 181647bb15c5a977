#include "libs/roads/engine/router.h"

#include <fmt/format.h>

#include <chrono>

#include "absl/status/status.h"

namespace ridestream::roads {
namespace {

absl::Status NoWay(LatLng from, LatLng to) {
  return absl::NotFoundError(fmt::format("no route along the streets leads from {} to {}",
                                         from.ToString(), to.ToString()));
}

}  // namespace

absl::StatusOr<Route> Router::FindRoute(LatLng from, LatLng to, StreetUse from_use) const {
  const auto start = snapper_.Snap(from, from_use);
  if (!start.ok()) return start.status();
  const auto goal = snapper_.Snap(to, StreetUse::kStop);
  if (!goal.ok()) return goal.status();
  std::optional<Route> route = RouteBetween(*start, *goal);
  if (!route) return NoWay(from, to);
  return *std::move(route);
}

absl::StatusOr<Duration> Router::TravelTime(LatLng from, LatLng to, StreetUse from_use) const {
  const auto start = snapper_.Snap(from, from_use);
  if (!start.ok()) return start.status();
  const auto goal = snapper_.Snap(to, StreetUse::kStop);
  if (!goal.ok()) return goal.status();
  const std::uint32_t ms = MsBetween(*start, *goal);
  if (ms == kUnreachableMs) return NoWay(from, to);
  return std::chrono::milliseconds(ms);
}

absl::StatusOr<std::vector<std::optional<Duration>>> Router::TravelTimesTo(
    LatLng to, std::span<const LatLng> from, Duration limit) const {
  if (limit < Duration::zero()) {
    return absl::InvalidArgumentError(
        fmt::format("the limit of a travel time is negative: {} us", limit.count()));
  }
  const auto goal = snapper_.Snap(to, StreetUse::kStop);
  if (!goal.ok()) return goal.status();
  std::vector<SnappedPoint> starts;
  std::vector<std::size_t> index;
  starts.reserve(from.size());
  index.reserve(from.size());
  const auto snapped = snapper_.NearestOfEach(from);
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (!snapped[i]) continue;
    starts.push_back(*snapped[i]);
    index.push_back(i);
  }
  const std::vector<std::uint32_t> row = MsTo(*goal, starts);
  std::vector<std::optional<Duration>> times(from.size());
  for (std::size_t i = 0; i < row.size(); ++i) {
    const std::chrono::milliseconds time(row[i]);
    if (row[i] != kUnreachableMs && time <= limit) times[index[i]] = time;
  }
  return times;
}

std::vector<std::uint32_t> Router::MsTable(std::span<const SnappedPoint> from,
                                           std::span<const SnappedPoint> to) const {
  std::vector<std::uint32_t> table(from.size() * to.size());
  for (std::size_t k = 0; k < to.size(); ++k) {
    const std::vector<std::uint32_t> row = MsTo(to[k], from);
    for (std::size_t i = 0; i < from.size(); ++i) table[i * to.size() + k] = row[i];
  }
  return table;
}

PreparedPlace Router::Prepare(const SnappedPoint& point) const { return {point, nullptr}; }

std::uint32_t Router::MsBetween(const PreparedPlace& from, const PreparedPlace& to) const {
  return MsBetween(from.point, to.point);
}

}  // namespace ridestream::roads
