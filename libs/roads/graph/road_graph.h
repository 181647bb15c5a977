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

/// A straight piece of a street between two consecutive points, in one direction of travel. A
/// two-way street has two edges, see RoadGraph::Opposite.
struct Edge {
  NodeIndex from = 0;
  NodeIndex to = 0;
  std::uint32_t length_dm = 0;    ///< Decimetres.
  std::uint32_t duration_ms = 0;  ///< Time to drive it: 1 ms to kMaxDurationMs.
  std::uint32_t name = 0;         ///< Of its street, see RoadGraph::name.
  bool may_stop = true;           ///< Whether a car may stop there for a rider.
  /// Whether only rides that begin or end there may use the edge.
  bool is_destination_only = false;

  /// About 12 days: longer than any street takes, and so small that the sum of two, plus one each,
  /// fits into 31 bits.
  static constexpr std::uint32_t kMaxDurationMs = (1U << 30) - 2;

  friend bool operator==(const Edge&, const Edge&) = default;
};

/// Edges that are driven one after the other.
using EdgePath = std::vector<EdgeIndex>;

/// The smallest rectangle of latitudes and longitudes that contains some places. If its west is
/// greater than its east, it crosses the antimeridian.
struct BoundingBox {
  LatLng south_west;
  LatLng north_east;

  /// Width from west to east, in degrees times 10^7: 0 to below 360 degrees.
  std::int64_t width_e7() const;

  /// Whether `place` is inside, or at most `margin_m` metres outside. False for an invalid place.
  bool Contains(LatLng place, double margin_m = 0) const;
};

/// The streets of one market as a directed graph: points, the straight segments between them as
/// adjacency arrays (CSR), and the forbidden turns. In a graph from RoadGraphBuilder, every street
/// can be reached from every other one, and at most one edge leads from a point directly to another
/// one.
///
/// Immutable, hence safe to read from any thread.
class RoadGraph {
 public:
  /// `edges` must be sorted by (from, to), without duplicates, and refer to existing positions and
  /// names. `positions` must not be empty. Each path in `forbidden` (see forbidden_paths) has at
  /// least two edges, each of which begins where the previous one ends.
  RoadGraph(std::vector<LatLng> positions, std::vector<Edge> edges, std::vector<std::string> names,
            std::size_t junction_count, std::vector<EdgePath> forbidden = {});

  std::size_t node_count() const { return positions_.size(); }
  std::size_t edge_count() const { return edges_.size(); }
  /// Number of junctions: points where a street ends or several meet. All other points only give a
  /// street its shape.
  std::size_t junction_count() const { return junction_count_; }

  LatLng position(NodeIndex node) const { return positions_[node]; }
  const Edge& edge(EdgeIndex edge) const { return edges_[edge]; }
  /// All edges, in the order of their index: sorted by (from, to).
  std::span<const Edge> edges() const { return edges_; }
  /// The name of an edge's street, e.g. "Rua da Boavista"; else its number ("A 28"); else "".
  const std::string& name(EdgeIndex edge) const { return names_[edges_[edge].name]; }

  /// The forbidden sequences of edges, from turn restrictions. Two edges are a turn; more edges are
  /// a turn that depends on where the car came from. Sorted.
  std::span<const EdgePath> forbidden_paths() const { return forbidden_paths_; }

  /// The edges that leave `node`. They are contiguous: the first has the index FirstOut(node).
  std::span<const Edge> OutEdges(NodeIndex node) const {
    return std::span(edges_).subspan(first_out_[node], first_out_[node + 1] - first_out_[node]);
  }
  /// Valid for node_count() too; then it is edge_count().
  EdgeIndex FirstOut(NodeIndex node) const { return first_out_[node]; }
  /// The indexes of the edges that arrive at `node`, ascending.
  std::span<const EdgeIndex> InEdges(NodeIndex node) const {
    return std::span(in_edges_).subspan(first_in_[node], first_in_[node + 1] - first_in_[node]);
  }
  /// The edge from one point directly to another; nullopt if there is none.
  std::optional<EdgeIndex> FindEdge(NodeIndex from, NodeIndex to) const;
  /// The other direction of a two-way street; nullopt on a one-way street.
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

/// A random place on a street where a car may stop; every metre in every direction of travel is
/// equally likely. If there is no such street, a place on any street. The same state of `random`
/// gives the same place with every compiler.
LatLng RandomPointOnStreet(const RoadGraph& graph, std::mt19937_64& random);

}  // namespace ridestream::roads
