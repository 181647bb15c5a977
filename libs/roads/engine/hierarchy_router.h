#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "libs/base/mutex.h"
#include "libs/roads/engine/hierarchy.h"
#include "libs/roads/engine/metric.h"
#include "libs/roads/engine/router.h"
#include "libs/roads/graph/turn_graph.h"
#include "libs/roads/snapping/snap.h"

namespace ridestream::roads {

/// Routes by a customizable contraction hierarchy: exact, in microseconds, and with speeds that can
/// change between queries.
///
/// Between two places, the times from one place to its ancestors in the elimination tree and from
/// ancestors to the other place meet at a common ancestor (Dibbelt, Strasser and Wagner 2016). For
/// a row, the times of one place are handed down the tree to the ancestors of all the others (D.
/// Delling, A. Goldberg, R. Werneck, "Faster Batched Shortest Paths in Road Networks", 2011, with
/// their restriction). A prepared place stores its times to and from its ancestors, some KB.
///
/// Thread-safe. Each query uses the speeds of the moment when it began.
class HierarchyRouter final : public Router {
 public:
  /// With the graph's durations. `node_order` is a result of FindContractionOrder.
  HierarchyRouter(const TurnGraph& turns, const Snapper& snapper,
                  std::span<const NodeIndex> node_order);

  /// Sets the duration of each edge in milliseconds: 1 to Edge::kMaxDurationMs, or kClosedMs.
  /// Running queries neither wait nor see the change. INVALID_ARGUMENT for any other value; nothing
  /// changes then.
  absl::Status SetDurations(std::vector<std::uint32_t> edge_ms);

  /// The current durations.
  std::shared_ptr<const Metric> metric() const;

  std::optional<Route> RouteBetween(const SnappedPoint& from,
                                    const SnappedPoint& to) const override;
  std::uint32_t MsBetween(const SnappedPoint& from, const SnappedPoint& to) const override;
  std::vector<std::uint32_t> MsTo(const SnappedPoint& to,
                                  std::span<const SnappedPoint> from) const override;
  std::vector<std::uint32_t> MsFrom(const SnappedPoint& from,
                                    std::span<const SnappedPoint> to) const override;
  std::vector<std::uint32_t> MsTable(std::span<const SnappedPoint> from,
                                     std::span<const SnappedPoint> to) const override;
  PreparedPlace Prepare(const SnappedPoint& point) const override;
  std::uint32_t MsBetween(const PreparedPlace& from, const PreparedPlace& to) const override;

  const Hierarchy& hierarchy() const { return hierarchy_; }

 private:
  struct Labels;

  Timing TimingOf(const Metric& metric) const { return {turns_, metric.edge_ms()}; }
  std::shared_ptr<const Labels> LabelsOf(const SnappedPoint& point,
                                         std::shared_ptr<const Metric> metric) const;

  const TurnGraph& turns_;
  const Hierarchy hierarchy_;

  mutable Mutex mu_;
  std::shared_ptr<const Metric> metric_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ridestream::roads
