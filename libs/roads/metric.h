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

  /// The arcs from each node to higher neighbours that a search needs, in one direction of travel:
  /// those that are a quickest way. Side by side for each node, those of `node` from first[node] to
  /// first[node + 1] - 1, in ascending order of their heads.
  struct SearchArcs {
    std::vector<std::uint32_t> first;
    std::vector<Rank> head;
    std::vector<std::uint16_t> head_depth;
    std::vector<std::uint32_t> ms;
    std::vector<std::uint32_t> arc;  ///< Of the hierarchy.
  };

  /// `edge_ms` as in Timing. Takes each lower triangle once (Dibbelt, Strasser and Wagner's basic
  /// customization): an arc's time becomes the least over all ways through lower nodes. Then once
  /// more from above (their perfect customization), to find the arcs than which another way is
  /// quicker: no quickest way needs them.
  Metric(const Hierarchy& hierarchy, std::vector<std::uint32_t> edge_ms);

  std::span<const std::uint32_t> edge_ms() const { return edge_ms_; }
  const SearchArcs& up() const { return up_; }
  const SearchArcs& down() const { return down_; }

  /// Appends the edges of the road graph that the quickest way along an arc is made of, upward or
  /// downward. It must have a time.
  void UnpackUp(std::uint32_t arc, Rank low, EdgePath& path) const;
  void UnpackDown(std::uint32_t arc, Rank low, EdgePath& path) const;

 private:
  void Customize();
  void FindSearchArcs();

  const Hierarchy& hierarchy_;
  const std::vector<std::uint32_t> edge_ms_;
  std::vector<std::uint32_t> up_ms_;
  std::vector<std::uint32_t> down_ms_;
  // The lower node that an arc's quickest way goes through, kNoRank if it is an edge.
  std::vector<Rank> up_via_;
  std::vector<Rank> down_via_;
  SearchArcs up_;
  SearchArcs down_;
};

}  // namespace ridestream::roads
