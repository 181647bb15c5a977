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

/// Learns how long streets take from cars that drive along them, by the street and the hour of the
/// day (in UTC). A street is here what lies between two junctions, in one direction.
///
/// Of each street and hour it keeps the time that cars took and the time that the map gives, both
/// of about the last ten minutes of driving there; their ratio is the street's factor. Half a
/// minute at the map's speed is added to both: one slow car says little, and a street that nobody
/// drives along keeps what the map says. What is learned of an hour counts again on the next day.
///
/// Deterministic. Holds some bytes for each street and hour in which somebody drove there. Not
/// thread-safe. The graph must outlive it.
class SpeedLearner {
 public:
  /// A drive along a street that took less or more than this many times the map's time isn't
  /// believed: the positions were wrong, or somebody stood there.
  static constexpr double kFastest = 0.25;
  static constexpr double kSlowest = 10;
  /// A street's time follows what was learned only when it is off by more than this share, so that
  /// it doesn't move with each car's noise.
  static constexpr double kNoticeable = 0.1;

  explicit SpeedLearner(const RoadGraph& graph);

  /// A car drove straight from one point of the graph to the next in that time, and ended at `at`.
  /// False if that isn't believed, or no street leads directly from one to the other.
  bool Observe(LatLng from, LatLng to, Duration took, Time at);

  /// How long each edge takes at `now`, in milliseconds. nullopt if no street's time has changed
  /// since the last result (at first: since the graph's times).
  std::optional<std::vector<std::uint32_t>> Update(Time now);

  /// Between junctions, each direction for itself.
  std::size_t street_count() const { return published_.size(); }
  /// Streets whose time differs from the map's in the last result.
  std::size_t changed_streets() const;

 private:
  /// What was driven along a street in an hour of the day, in seconds.
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
