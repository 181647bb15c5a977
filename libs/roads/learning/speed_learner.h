#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "libs/base/clock.h"
#include "libs/base/geo.h"
#include "libs/roads/graph/road_graph.h"

namespace ridestream::roads {

/// Learns how long streets take, from cars that drive along them, by street and hour of the day (in
/// UTC). Here a street is the part between two junctions, in one direction.
///
/// For each street and hour it keeps the time that cars took and the time by the map, both for
/// about the last ten minutes of driving there; their ratio is the street's factor. Half a minute
/// at the map's speed is added to both, so that a single slow car has little influence, and a
/// street without cars keeps the map's time. What is learned in an hour applies again on the next
/// day.
///
/// Deterministic. Takes some bytes for each street and hour with driving. Not thread-safe. The
/// graph must outlive it.
class SpeedLearner {
 public:
  /// Bounds of the ratio of a drive's time to the map's time. A drive outside of them is ignored:
  /// its positions were wrong, or the car stood still.
  static constexpr double kFastest = 0.25;
  static constexpr double kSlowest = 10;
  /// A street's time is updated only if it differs from what was learned by more than this share,
  /// so that it doesn't follow each car's noise.
  static constexpr double kNoticeable = 0.1;

  explicit SpeedLearner(const RoadGraph& graph);

  /// Records that a car drove straight from one point of the graph to the next in `took`, and
  /// arrived at `at`. Returns false, and ignores the drive, if that is implausible or no edge leads
  /// directly from one point to the other.
  bool Observe(LatLng from, LatLng to, Duration took, Time at);

  /// The duration of each edge at `now`, in milliseconds. nullopt if no street's time has changed
  /// since the last result (at first: since the graph's times).
  std::optional<std::vector<std::uint32_t>> Update(Time now);

  /// Number of streets between junctions, counting each direction.
  std::size_t street_count() const { return published_.size(); }
  /// Number of streets whose time in the last result differs from the map's.
  std::size_t changed_streets() const;

 private:
  /// The driving along a street in an hour of the day, in seconds.
  struct Driven {
    float took = 0;
    float by_map = 0;
  };

  std::optional<EdgeIndex> FindEdge(LatLng from, LatLng to) const;
  /// Key of driven_.
  static std::uint64_t Key(std::uint32_t street, std::uint32_t hour);
  double FactorOf(std::uint32_t street, std::uint32_t hour) const;

  const RoadGraph& graph_;
  std::vector<std::pair<std::uint64_t, NodeIndex>> nodes_;  // by place, sorted
  std::vector<std::uint32_t> street_of_;                    // of each edge
  std::vector<float> published_;                            // of each street, its factor
  absl::flat_hash_map<std::uint64_t, Driven> driven_;
};

}  // namespace ridestream::roads
