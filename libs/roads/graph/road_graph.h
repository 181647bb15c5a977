#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "libs/base/geo.h"

namespace ridestream::roads {

/// A point of the graph, 0 to node_count() - 1.
using NodeIndex = std::uint32_t;
/// A directed segment of the graph, 0 to edge_count() - 1.
using EdgeIndex = std::uint32_t;
inline constexpr EdgeIndex kNoEdge = std::numeric_limits<EdgeIndex>::max();

/// A straight piece of a street between two consecutive points of its course, in one direction of
/// travel. A two-way street has two, see RoadGraph::Opposite.
struct Edge {
  NodeIndex from = 0;
  NodeIndex to = 0;
  std::uint32_t length_dm = 0;    ///< Decimetres.
  std::uint32_t duration_ms = 0;  ///< Time to drive it: 1 ms to kMaxDurationMs.
  std::uint32_t name = 0;         ///< Of its street, see RoadGraph::name.
  bool may_stop = true;           ///< Whether a car may stop there for a rider.
  /// Whether only rides that begin or end there may be driven along it.
  bool is_destination_only = false;

  /// About 12 days: so large that no street takes longer, so small that two of them, and one more
  /// than each, can be added in 31 bits.
  static constexpr std::uint32_t kMaxDurationMs = (1U << 30) - 2;

  friend bool operator==(const Edge&, const Edge&) = default;
};

/// Edges that are driven one after the other.
using EdgePath = std::vector<EdgeIndex>;

/// The smallest rectangle of latitudes and longitudes around some places. One whose west is greater
/// than its east lies across the antimeridian.
struct BoundingBox {
  LatLng south_west;
  LatLng north_east;

  /// From its west to its east, in degrees times 10^7: 0 to below 360 degrees.
  std::int64_t width_e7() const;

  /// Whether `place` is inside, or at most `margin_m` metres beyond an edge. False for an invalid
  /// place.
  bool Contains(LatLng place, double margin_m = 0) const;
};

/// The streets of one market as a directed graph: points, and the straight segments between them,
/// stored as adjacency arrays (CSR), and the turns that aren't allowed between them. As a
/// RoadGraphBuilder makes it, one can drive from each street to each other one, and at most one
/// edge leads from one point directly to another.
///
/// Immutable, so safe to read from any thread.
class RoadGraph {
 public:
  /// `edges` must be sorted by (from, to), without duplicates of that pair, and name positions and
  /// names that exist. `positions` isn't empty. Of `forbidden`, see forbidden_paths, each has two
  /// edges or more, each of which begins where the one before it ends.
  RoadGraph(std::vector<LatLng> positions, std::vector<Edge> edges, std::vector<std::string> names,
            std::size_t junction_count, std::vector<EdgePath> forbidden = {});

  std::size_t node_count() const { return positions_.size(); }
  std::size_t edge_count() const { return edges_.size(); }
  /// How many of the points are junctions: where a street ends or two of them meet. The others only
  /// give a street its shape.
  std::size_t junction_count() const { return junction_count_; }

  LatLng position(NodeIndex node) const { return positions_[node]; }
  const Edge& edge(EdgeIndex edge) const { return edges_[edge]; }
  /// All edges, in the order of their index: sorted by (from, to).
  std::span<const Edge> edges() const { return edges_; }
  /// The name of an edge's street, e.g. "Rua da Boavista", else its number ("A 28"), else "".
  const std::string& name(EdgeIndex edge) const { return names_[edges_[edge].name]; }

  /// A forbidden sequence of edges, from a turn restriction. Two edges are a turn, more of them one
  /// that depends on where the car came from. Sorted.
  std::span<const EdgePath> forbidden_paths() const { return forbidden_paths_; }

  /// The edges that leave `node`. They lie side by side: the first has the index FirstOut(node).
  std::span<const Edge> OutEdges(NodeIndex node) const {
    return std::span(edges_).subspan(first_out_[node], first_out_[node + 1] - first_out_[node]);
  }
  /// Also of node_count(): then edge_count().
  EdgeIndex FirstOut(NodeIndex node) const { return first_out_[node]; }
  /// The indexes of the edges that arrive at `node`, ascending.
  std::span<const EdgeIndex> InEdges(NodeIndex node) const {
    return std::span(in_edges_).subspan(first_in_[node], first_in_[node + 1] - first_in_[node]);
  }
  /// The edge from one point directly to another, if there is one.
  std::optional<EdgeIndex> FindEdge(NodeIndex from, NodeIndex to) const;
  /// The other direction of a two-way street, nullopt on a one-way street.
  std::optional<EdgeIndex> Opposite(EdgeIndex edge) const {
    return opposite_[edge] == kNoEdge ? std::nullopt : std::optional(opposite_[edge]);
  }

  const BoundingBox& bounds() const { return bounds_; }
  /// Whether there is a street where a car may stop for a rider.
  bool has_stops() const { return has_stops_; }
  /// The longest edge's length in decimetres.
  std::uint32_t max_length_dm() const { return max_length_dm_; }

 private:
  std::vector<LatLng> positions_;
  std::vector<Edge> edges_;
  std::vector<std::string> names_;
  std::size_t junction_count_;
  std::vector<EdgePath> forbidden_paths_;
  std::vector<EdgeIndex> first_out_;     // node_count() + 1 entries
  std::vector<std::uint32_t> first_in_;  // node_count() + 1 entries, into in_edges_
  std::vector<EdgeIndex> in_edges_;
  std::vector<EdgeIndex> opposite_;  // of each edge; kNoEdge: none
  BoundingBox bounds_;
  std::uint32_t max_length_dm_ = 0;
  bool has_stops_ = false;
};

/// A place on a street where a car may stop, every metre of every direction of travel being equally
/// likely; on any street where there is no such street. The same from the same state of `random`
/// with every compiler.
LatLng RandomPointOnStreet(const RoadGraph& graph, std::mt19937_64& random);

}  // namespace ridestream::roads
