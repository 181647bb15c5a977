#include "libs/roads/engine/hierarchy_router.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "libs/roads/engine/climb.h"
#include "libs/roads/engine/route.h"
#include "libs/roads/engine/tree_spread.h"

namespace ridestream::roads {
namespace {

/// Memory for a thread's queries; a thread runs one query at a time.
struct Workspace {
  Climb up;
  Climb down;
  TreeSpread spread;
};

Workspace& ThreadWorkspace() {
  thread_local Workspace workspace;
  return workspace;
}

}  // namespace

struct HierarchyRouter::Labels final : PlaceLabels {
  std::shared_ptr<const Metric> metric;
  EdgeIndex street = 0;  // The lower one of its two directions.
  Climb up;
  Climb down;
};

HierarchyRouter::HierarchyRouter(const TurnGraph& turns, const Snapper& snapper,
                                 std::span<const NodeIndex> node_order)
    : Router(turns.graph(), snapper),
      turns_(turns),
      hierarchy_(turns, node_order),
      metric_(std::make_shared<const Metric>(hierarchy_, GraphDurations(turns.graph()))) {}

absl::Status HierarchyRouter::SetDurations(std::vector<std::uint32_t> edge_ms) {
  if (edge_ms.size() != graph().edge_count()) {
    return absl::InvalidArgumentError(fmt::format("{} durations for {} segments of streets",
                                                  edge_ms.size(), graph().edge_count()));
  }
  for (EdgeIndex i = 0; i < edge_ms.size(); ++i) {
    if (edge_ms[i] == kClosedMs || (edge_ms[i] >= 1 && edge_ms[i] <= Edge::kMaxDurationMs))
      continue;
    return absl::InvalidArgumentError(
        fmt::format("a duration of {} ms for segment {} ({}): must be 1 to {}", edge_ms[i], i,
                    graph().name(i), Edge::kMaxDurationMs));
  }
  auto metric = std::make_shared<const Metric>(hierarchy_, std::move(edge_ms));
  {
    MutexLock lock(mu_);
    metric_.swap(metric);
  }
  // The old metric, if no query uses it any more, is freed without the lock.
  return absl::OkStatus();
}

std::shared_ptr<const Metric> HierarchyRouter::metric() const {
  MutexLock lock(mu_);
  return metric_;
}

std::uint32_t HierarchyRouter::MsBetween(const SnappedPoint& from, const SnappedPoint& to) const {
  const auto metric = this->metric();
  const Timing timing = TimingOf(*metric);
  auto& [up, down, spread] = ThreadWorkspace();
  up.Run(hierarchy_, metric->up(), Exits(timing, from));
  down.Run(hierarchy_, metric->down(), Entries(timing, to));
  return std::min(DirectMs(timing, from, to), Meet(up, down));
}

std::optional<Route> HierarchyRouter::RouteBetween(const SnappedPoint& from,
                                                   const SnappedPoint& to) const {
  const auto metric = this->metric();
  const Timing timing = TimingOf(*metric);
  const AccessList exits = Exits(timing, from);
  const AccessList entries = Entries(timing, to);
  TracedClimb up;
  TracedClimb down;
  up.Run(hierarchy_, metric->up(), exits);
  down.Run(hierarchy_, metric->down(), entries);
  const std::uint32_t ms = Meet(up, down);
  const std::uint32_t direct_ms = DirectMs(timing, from, to);
  if (ms == kUnreachableMs && direct_ms == kUnreachableMs) return std::nullopt;
  if (direct_ms <= ms) return MakeDirectRoute(timing, from, to);

  std::uint32_t meeting = 0;
  while (up.ms[meeting] + down.ms[meeting] != ms) ++meeting;
  EdgePath path;
  std::uint32_t exit_depth = meeting;
  std::uint32_t entry_depth = meeting;
  const std::vector<TracedClimb::Step> steps = up.StepsTo(hierarchy_, exit_depth);
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    metric->UnpackUp(step->arc, step->low, path);
  }
  for (const TracedClimb::Step& step : down.StepsTo(hierarchy_, entry_depth)) {
    metric->UnpackDown(step.arc, step.low, path);
  }
  const auto at = [&](const AccessList& accesses, const Climb& climb, std::uint32_t depth) {
    return *std::find_if(accesses.begin(), accesses.end(), [&](const Access& access) {
      return hierarchy_.depth(hierarchy_.rank(access.state)) == depth &&
             access.ms == climb.ms[depth];
    });
  };
  return MakeRoute(timing, from, at(exits, up, exit_depth), path, at(entries, down, entry_depth),
                   to);
}

std::vector<std::uint32_t> HierarchyRouter::MsTo(const SnappedPoint& to,
                                                 std::span<const SnappedPoint> from) const {
  const auto metric = this->metric();
  const Timing timing = TimingOf(*metric);
  auto& [up, down, spread] = ThreadWorkspace();
  down.Run(hierarchy_, metric->down(), Entries(timing, to));
  spread.Start(hierarchy_, metric->up(), down);
  std::vector<std::uint32_t> row;
  row.reserve(from.size());
  for (const SnappedPoint& place : from) row.push_back(DirectMs(timing, place, to));
  for (const SnappedPoint& place : from) spread.Add(Exits(timing, place));
  spread.Finish(row);
  return row;
}

std::vector<std::uint32_t> HierarchyRouter::MsFrom(const SnappedPoint& from,
                                                   std::span<const SnappedPoint> to) const {
  const auto metric = this->metric();
  const Timing timing = TimingOf(*metric);
  auto& [up, down, spread] = ThreadWorkspace();
  up.Run(hierarchy_, metric->up(), Exits(timing, from));
  spread.Start(hierarchy_, metric->down(), up);
  std::vector<std::uint32_t> row;
  row.reserve(to.size());
  for (const SnappedPoint& place : to) row.push_back(DirectMs(timing, from, place));
  for (const SnappedPoint& place : to) spread.Add(Entries(timing, place));
  spread.Finish(row);
  return row;
}

std::vector<std::uint32_t> HierarchyRouter::MsTable(std::span<const SnappedPoint> from,
                                                    std::span<const SnappedPoint> to) const {
  const auto metric = this->metric();
  const Timing timing = TimingOf(*metric);
  std::vector<Climb> down(to.size());
  for (std::size_t k = 0; k < to.size(); ++k) {
    down[k].Run(hierarchy_, metric->down(), Entries(timing, to[k]));
  }
  std::vector<std::uint32_t> table;
  table.reserve(from.size() * to.size());
  Climb& up = ThreadWorkspace().up;
  for (const SnappedPoint& start : from) {
    up.Run(hierarchy_, metric->up(), Exits(timing, start));
    for (std::size_t k = 0; k < to.size(); ++k) {
      table.push_back(std::min(DirectMs(timing, start, to[k]), Meet(up, down[k])));
    }
  }
  return table;
}

std::shared_ptr<const HierarchyRouter::Labels> HierarchyRouter::LabelsOf(
    const SnappedPoint& point, std::shared_ptr<const Metric> metric) const {
  auto labels = std::make_shared<Labels>();
  const Timing timing = TimingOf(*metric);
  labels->router = this;
  labels->street = std::min(point.edge, graph().Opposite(point.edge).value_or(kNoEdge));
  labels->up.Run(hierarchy_, metric->up(), Exits(timing, point));
  labels->down.Run(hierarchy_, metric->down(), Entries(timing, point));
  labels->metric = std::move(metric);
  return labels;
}

PreparedPlace HierarchyRouter::Prepare(const SnappedPoint& point) const {
  return {point, LabelsOf(point, metric())};
}

std::uint32_t HierarchyRouter::MsBetween(const PreparedPlace& from, const PreparedPlace& to) const {
  const auto is_ours = [&](const PlaceLabels* labels) {
    return labels != nullptr && labels->router == this;
  };
  if (!is_ours(from.labels.get()) || !is_ours(to.labels.get())) {
    return MsBetween(from.point, to.point);
  }
  const auto& start = static_cast<const Labels&>(*from.labels);
  const auto& goal = static_cast<const Labels&>(*to.labels);
  if (start.metric != goal.metric) return MsBetween(from.point, to.point);
  const std::uint32_t ms = Meet(start.up, goal.down);
  if (start.street != goal.street) return ms;
  return std::min(ms, DirectMs(TimingOf(*start.metric), from.point, to.point));
}

}  // namespace ridestream::roads
