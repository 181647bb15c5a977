#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "libs/roads/graph/road_graph.h"

namespace ridestream::roads {

/// A point of a TurnGraph, 0 to state_count() - 1.
using StateIndex = std::uint32_t;

/// Whether destination-only streets are kept free of through traffic.
enum class DestinationRule { kObeyed, kIgnored };

/// A road graph in which every way along the arcs is one that turn restrictions allow: what routing
/// engines search.
///
/// A car at a node is in a state, which is what of its past still restricts where it may go on. At
/// most nodes there is one, the plain state, whose index is the node's. Where a forbidden path may
/// be under way, there is a further state for each beginning of such a path that ends there. This
/// is the automaton of A. Aho and M. Corasick ("Efficient String Matching", 1975) over edges
/// instead of letters; Villeneuve and Desaulniers ("The shortest path problem with forbidden
/// paths", 2005) use it so. Some hundred restrictions add some hundred states.
///
/// Without more rules a restricted turn would be evaded by driving on and turning round a few
/// metres further. So beside a restricted junction nobody turns round between it and the next
/// junction; nor at the junction itself who is restricted there, unless there is no other way to go
/// on. At other junctions, in dead ends and where a drive begins, cars may turn round. (Between
/// unrestricted junctions nobody would: it never saves time.)
///
/// Immutable, so safe to read from any thread. The road graph must outlive it.
/// Streets that only rides which begin or end there may use (Edge::is_destination_only) add states
/// too: a car that came to such a street from one that is open to all may not go on to another that
/// is. So a drive begins along such streets, goes on along open ones, and ends along such streets.
class TurnGraph {
 public:
  struct Arc {
    StateIndex head;
    EdgeIndex edge;  ///< Of the road graph, which is driven along.
  };

  explicit TurnGraph(const RoadGraph& graph, DestinationRule rule = DestinationRule::kObeyed);

  const RoadGraph& graph() const { return graph_; }
  std::size_t state_count() const { return node_.size(); }
  std::size_t arc_count() const { return arcs_.size(); }
  NodeIndex node(StateIndex state) const { return node_[state]; }

  /// The arcs that leave `state`; the first has the index FirstArc(state).
  std::span<const Arc> Arcs(StateIndex state) const {
    return std::span(arcs_).subspan(first_arc_[state], first_arc_[state + 1] - first_arc_[state]);
  }
  std::uint32_t FirstArc(StateIndex state) const { return first_arc_[state]; }
  const Arc& arc(std::uint32_t index) const { return arcs_[index]; }

  /// The state at the end of `edge` of a car that began its drive on it.
  StateIndex After(EdgeIndex edge) const { return after_[edge]; }

  /// Whether `node` has other states than the plain one.
  bool IsRestricted(NodeIndex node) const { return first_extra_[node] < first_extra_[node + 1]; }
  /// Calls `visit` for each state at `node`.
  template <class Visit>
  void ForEachState(NodeIndex node, Visit visit) const {
    visit(StateIndex{node});
    for (StateIndex s = first_extra_[node]; s < first_extra_[node + 1]; ++s) visit(s);
  }
  /// Whether a car in `state` may go on along `edge`, which leaves its node.
  bool MayTake(StateIndex state, EdgeIndex edge) const;

 private:
  const RoadGraph& graph_;
  std::vector<NodeIndex> node_;
  std::vector<std::uint32_t> first_arc_;  // state_count() + 1 entries
  std::vector<Arc> arcs_;
  std::vector<StateIndex> after_;        // of each edge
  std::vector<StateIndex> first_extra_;  // of each node and one more; states beyond the plain ones
};

/// Tells for each edge whether it belongs to the largest part of the streets in which one can drive
/// from every street to every other one. Where the destination rule is obeyed, no destination-only
/// edge does.
std::vector<bool> EdgesOfLargestComponent(const TurnGraph& turns);

}  // namespace ridestream::roads
