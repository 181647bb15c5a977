#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "libs/roads/graph/road_graph.h"

namespace ridestream::roads {

/// A point of a TurnGraph, 0 to state_count() - 1.
using StateIndex = std::uint32_t;

/// Whether through traffic is kept off destination-only streets.
enum class DestinationRule { kObeyed, kIgnored };

/// A road graph whose arcs form only paths that turn restrictions permit. Routing engines search
/// it.
///
/// A car at a node is in a state: the part of its past that still restricts where it may continue.
/// Most nodes have one state, the plain state, whose index is the node's. Where a forbidden path
/// may have begun, there is a further state for each prefix of such a path that ends at the node.
/// This is the automaton of A. Aho and M. Corasick ("Efficient String Matching", 1975) over edges
/// instead of letters; Villeneuve and Desaulniers ("The shortest path problem with forbidden
/// paths", 2005) use it in this way. Some hundred restrictions add some hundred states.
///
/// Without further rules, a driver could evade a restricted turn by driving on and turning round a
/// few metres later. So beside a restricted junction nobody may turn round before the next
/// junction; and a car that is restricted at the junction may not turn round there, unless it has
/// no other way to continue. At other junctions, in dead ends and where a drive begins, cars may
/// turn round. (Between unrestricted junctions turning round never saves time.)
///
/// Streets that only rides which begin or end there may use (Edge::is_destination_only) add states
/// too: a car that entered such a street from an open street may not continue onto an open street.
/// So a drive may begin along such streets, continue along open ones, and end along such streets.
///
/// Immutable, hence safe to read from any thread. The road graph must outlive it.
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

  /// The state at the end of `edge` of a car that began its drive on `edge`.
  StateIndex After(EdgeIndex edge) const { return after_[edge]; }

  /// Whether `node` has states other than the plain one.
  bool IsRestricted(NodeIndex node) const { return first_extra_[node] < first_extra_[node + 1]; }
  /// Calls `visit` for each state at `node`.
  template <class Visit>
  void ForEachState(NodeIndex node, Visit visit) const {
    visit(StateIndex{node});
    for (StateIndex s = first_extra_[node]; s < first_extra_[node + 1]; ++s) visit(s);
  }
  /// Whether a car in `state` may continue along `edge`, which leaves its node.
  bool MayTake(StateIndex state, EdgeIndex edge) const;

 private:
  const RoadGraph& graph_;
  std::vector<NodeIndex> node_;
  std::vector<std::uint32_t> first_arc_;  // state_count() + 1 entries
  std::vector<Arc> arcs_;
  std::vector<StateIndex> after_;        // of each edge
  std::vector<StateIndex> first_extra_;  // of each node and one more; states beyond the plain ones
};

/// For each edge, whether it belongs to the largest set of streets in which every street can be
/// reached from every other one. If the destination rule is obeyed, no destination-only edge does.
std::vector<bool> EdgesOfLargestComponent(const TurnGraph& turns);

}  // namespace ridestream::roads
