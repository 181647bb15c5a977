#include "libs/roads/map/turn_rules.h"

#include <algorithm>
#include <utility>

#include "libs/base/invariant.h"

namespace ridestream::roads {
namespace {

/// The middle part of a restriction: from the end of its first street to the start of its last one.
/// Without edges at a via node.
struct Middle {
  NodeIndex start;
  NodeIndex end;
  EdgePath edges;
};

EdgePath Joined(EdgeIndex first, std::span<const EdgeIndex> middle, EdgeIndex last) {
  EdgePath path{first};
  path.insert(path.end(), middle.begin(), middle.end());
  path.push_back(last);
  return path;
}

class Resolver {
 public:
  Resolver(const RoadGraph& graph, const WayCourses& courses, RestrictionCounts& counts)
      : graph_(graph), courses_(courses), counts_(counts) {}

  void Add(const PlacedRestriction& placed) {
    const TurnRestriction& restriction = placed.restriction;
    if (AnythingMissing(placed)) {
      ++counts_.missing;
      return;
    }
    const std::size_t before = paths_.size();
    bool clear = true;
    for (const std::int64_t from : restriction.from) {
      const std::optional<Middle> middle = FindMiddle(placed, from);
      clear = clear && middle && AddFrom(restriction, from, *middle);
    }
    if (!clear) {
      paths_.resize(before);
      ++counts_.unclear;
    } else if (paths_.size() == before) {
      ++counts_.without_effect;
    } else {
      ++counts_.applied;
    }
  }

  std::vector<EdgePath> Finish() && { return std::move(paths_); }

 private:
  bool AnythingMissing(const PlacedRestriction& placed) const {
    const auto missing = [&](std::int64_t way) { return !courses_.contains(way); };
    const TurnRestriction& r = placed.restriction;
    return std::any_of(r.from.begin(), r.from.end(), missing) ||
           std::any_of(r.to.begin(), r.to.end(), missing) ||
           std::any_of(r.via_ways.begin(), r.via_ways.end(), missing) ||
           (r.via_ways.empty() && !placed.via_node);
  }

  /// nullopt if the ways don't meet as they should.
  std::optional<Middle> FindMiddle(const PlacedRestriction& placed, std::int64_t from) const {
    const TurnRestriction& restriction = placed.restriction;
    if (restriction.via_ways.empty()) return Middle{*placed.via_node, *placed.via_node, {}};
    const std::vector<NodeIndex>& first = CourseOf(restriction.via_ways.front());
    std::optional<Middle> found;
    for (const NodeIndex start : {first.front(), first.back()}) {
      if (!IsEnd(from, start) || (found && found->start == start)) continue;
      std::optional<Middle> middle = FollowVia(restriction.via_ways, start);
      if (!middle || !AllEndAt(restriction.to, middle->end)) continue;
      if (found) return std::nullopt;  // both ends fit
      found = std::move(middle);
    }
    return found;
  }

  /// Follows the via ways from `start`. Without edges if a one-way street forbids that already.
  std::optional<Middle> FollowVia(std::span<const std::int64_t> ways, NodeIndex start) const {
    std::vector<NodeIndex> nodes{start};
    for (const std::int64_t way : ways) {
      std::vector<NodeIndex> course = CourseOf(way);
      if (course.front() != nodes.back()) std::reverse(course.begin(), course.end());
      if (course.front() != nodes.back()) return std::nullopt;
      nodes.insert(nodes.end(), course.begin() + 1, course.end());
    }
    if (std::find(nodes.begin(), nodes.end(), kNoNode) != nodes.end()) return std::nullopt;
    Middle middle{start, nodes.back(), {}};
    for (std::size_t i = 0; i + 1 < nodes.size(); ++i) {
      const auto edge = graph_.FindEdge(nodes[i], nodes[i + 1]);
      if (!edge) return Middle{start, nodes.back(), {}};
      middle.edges.push_back(*edge);
    }
    return middle;
  }

  /// The nodes of a way that isn't missing (AnythingMissing).
  const std::vector<NodeIndex>& CourseOf(std::int64_t way) const {
    static const std::vector<NodeIndex> kNowhere{kNoNode};
    const auto course = courses_.find(way);
    return RIDESTREAM_INVARIANT(course != courses_.end(), "a restriction's ways are on the map")
               ? course->second
               : kNowhere;
  }

  bool IsEnd(std::int64_t way, NodeIndex node) const {
    const std::vector<NodeIndex>& course = CourseOf(way);
    return course.front() == node || course.back() == node;
  }
  bool AllEndAt(std::span<const std::int64_t> ways, NodeIndex node) const {
    return std::all_of(ways.begin(), ways.end(),
                       [&](std::int64_t way) { return IsEnd(way, node); });
  }

  /// The edges of a way that arrive at `node`, or that leave it; empty if one-way streets forbid
  /// it. A way that passes through the node has two, and the restriction doesn't say which is
  /// meant.
  EdgePath EdgesAt(std::int64_t way, NodeIndex node, bool arriving) const {
    const std::vector<NodeIndex>& course = CourseOf(way);
    EdgePath edges;
    const auto add = [&](NodeIndex neighbour) {
      if (neighbour == kNoNode) return;
      const auto edge =
          arriving ? graph_.FindEdge(neighbour, node) : graph_.FindEdge(node, neighbour);
      if (edge && std::find(edges.begin(), edges.end(), *edge) == edges.end()) {
        edges.push_back(*edge);
      }
    };
    for (std::size_t i = 0; i < course.size(); ++i) {
      if (course[i] != node) continue;
      if (i > 0) add(course[i - 1]);
      if (i + 1 < course.size()) add(course[i + 1]);
    }
    return edges;
  }

  bool Touches(std::int64_t way, NodeIndex node) const {
    const std::vector<NodeIndex>& course = CourseOf(way);
    return std::find(course.begin(), course.end(), node) != course.end();
  }

  /// Returns false if the restriction is ambiguous.
  bool AddFrom(const TurnRestriction& restriction, std::int64_t from, const Middle& middle) {
    if (!Touches(from, middle.start)) return false;
    if (!restriction.via_ways.empty() && middle.edges.empty()) return true;  // can't be driven
    const EdgePath arriving = EdgesAt(from, middle.start, true);
    EdgePath leaving;
    for (const std::int64_t to : restriction.to) {
      if (!Touches(to, middle.end)) return false;
      const EdgePath edges = EdgesAt(to, middle.end, false);
      if (restriction.is_u_turn && middle.edges.empty() && to == from) {
        return AddTurnsBack(restriction, arriving);
      }
      if (edges.size() > 1) return false;
      leaving.insert(leaving.end(), edges.begin(), edges.end());
    }
    if (arriving.size() > 1) return false;
    if (arriving.empty()) return true;
    if (restriction.is_mandatory) {
      if (!leaving.empty()) ForbidAllBut(arriving.front(), middle, leaving);
    } else {
      for (const EdgeIndex last : leaving) {
        paths_.push_back(Joined(arriving.front(), middle.edges, last));
      }
    }
    return true;
  }

  /// Adds U-turns on one street, which may pass through the via node.
  bool AddTurnsBack(const TurnRestriction& restriction, const EdgePath& arriving) {
    if (restriction.is_mandatory) return false;
    for (const EdgeIndex edge : arriving) {
      if (const auto back = graph_.Opposite(edge)) paths_.push_back({edge, *back});
    }
    return true;
  }

  /// Forbids a car that came along `first` into the middle to leave it by anything but `leaving`.
  void ForbidAllBut(EdgeIndex first, const Middle& middle, const EdgePath& leaving) {
    const std::size_t size = middle.edges.size();
    for (std::size_t driven = size == 0 ? 0 : 1; driven <= size; ++driven) {
      const std::span<const EdgeIndex> head(middle.edges.data(), driven);
      const NodeIndex at = driven == 0 ? middle.start : graph_.edge(head.back()).to;
      for (EdgeIndex next = graph_.FirstOut(at); next < graph_.FirstOut(at + 1); ++next) {
        const bool allowed = driven < size
                                 ? next == middle.edges[driven]
                                 : std::find(leaving.begin(), leaving.end(), next) != leaving.end();
        if (!allowed) paths_.push_back(Joined(first, head, next));
      }
    }
  }

  const RoadGraph& graph_;
  const WayCourses& courses_;
  RestrictionCounts& counts_;
  std::vector<EdgePath> paths_;
};

}  // namespace

std::vector<EdgePath> FindForbiddenPaths(const RoadGraph& graph, const WayCourses& courses,
                                         std::span<const PlacedRestriction> restrictions,
                                         RestrictionCounts& counts) {
  Resolver resolver(graph, courses, counts);
  for (const PlacedRestriction& restriction : restrictions) resolver.Add(restriction);
  std::vector<EdgePath> paths = std::move(resolver).Finish();
  std::sort(paths.begin(), paths.end());
  paths.erase(std::unique(paths.begin(), paths.end()), paths.end());
  return paths;
}

}  // namespace ridestream::roads
