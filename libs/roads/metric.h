#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "libs/roads/hierarchy.h"
#include "libs/roads/timing.h"

namespace ridestream::roads {

/// The times of a Hierarchy's arcs at some speeds: the part that is customized when these change.
/// Immutable, so safe to read from any thread.
class Metric {
 public:
  /// No way. Two of them can be added in 31 bits.
  static constexpr std::uint32_t kInfinityMs = kMaxDriveMs + 1;

  /// `edge_ms` as in Timing. Takes each lower triangle once (Dibbelt, Strasser and Wagner's basic
  /// customization): an arc's time becomes the least over all ways through lower nodes.
  Metric(const Hierarchy& hierarchy, std::vector<std::uint32_t> edge_ms);

  std::span<const std::uint32_t> edge_ms() const { return edge_ms_; }
  std::span<const std::uint32_t> up_ms() const { return up_ms_; }
  std::span<const std::uint32_t> down_ms() const { return down_ms_; }

  /// Appends the edges of the road graph that the quickest way along an arc is made of, upward or
  /// downward. It must have a time.
  void UnpackUp(std::uint32_t arc, Rank low, EdgePath& path) const;
  void UnpackDown(std::uint32_t arc, Rank low, EdgePath& path) const;

 private:
  void Customize();

  const Hierarchy& hierarchy_;
  const std::vector<std::uint32_t> edge_ms_;
  std::vector<std::uint32_t> up_ms_;
  std::vector<std::uint32_t> down_ms_;
  // The lower node that an arc's quickest way goes through, kNoRank if it is an edge.
  std::vector<Rank> up_via_;
  std::vector<Rank> down_via_;
};

}  // namespace ridestream::roads
