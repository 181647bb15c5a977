#include "libs/roads/graph/turn_graph.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <optional>
#include <utility>

#include "libs/roads/graph/forbidden_path_automaton.h"
#include "libs/roads/graph/strong_components.h"
#include "libs/roads/graph/u_turns.h"

namespace ridestream::roads {

namespace {

/// How destination-only streets restrict where a car may continue.
enum class Passage : std::uint8_t {
  kThrough,   ///< On streets that are open to all.
  kLeaving,   ///< On destination-only streets since its drive began.
  kArriving,  ///< On destination-only streets, after others: may not go on to an open one.
};

/// The part of a car's past that restricts it at a node.
struct Past {
  ForbiddenPathAutomaton::State state;
  Passage passage;

  friend bool operator==(const Past&, const Past&) = default;
};

/// Applies both rules edge by edge.
class PastFollower {
 public:
  PastFollower(const RoadGraph& graph, DestinationRule rule, const std::vector<EdgePath>& forbidden)
      : graph_(graph),
        obeys_destination_(rule == DestinationRule::kObeyed),
        automaton_(forbidden) {}

  const ForbiddenPathAutomaton& automaton() const { return automaton_; }
  bool IsDestinationOnly(EdgeIndex edge) const {
    return obeys_destination_ && graph_.edge(edge).is_destination_only;
  }
  bool IsForbidden(const Past& past, EdgeIndex edge) const {
    if (past.passage == Passage::kArriving && !IsDestinationOnly(edge)) return true;
    return automaton_.IsForbidden(past.state, edge);
  }
  Past Next(const Past& past, EdgeIndex edge) const {
    const Passage passage = !IsDestinationOnly(edge)            ? Passage::kThrough
                            : past.passage == Passage::kLeaving ? Passage::kLeaving
                                                                : Passage::kArriving;
    return {automaton_.Next(past.state, edge), passage};
  }
  /// The past of a car that began its drive on `edge`, at the end of that edge.
  Past Begun(EdgeIndex edge) const {
    return {automaton_.Next(ForbiddenPathAutomaton::kStart, edge),
            IsDestinationOnly(edge) ? Passage::kLeaving : Passage::kThrough};
  }

 private:
  const RoadGraph& graph_;
  const bool obeys_destination_;
  const ForbiddenPathAutomaton automaton_;
};

/// A state other than the plain ones.
struct ExtraState {
  NodeIndex node;
  Past past;
};

/// In the order of their nodes. The automaton's states, except the first, are located at the ends
/// of their paths. Where destination-only streets end, each past has a leaving and an arriving
/// variant.
std::vector<ExtraState> ExtraStates(const RoadGraph& graph, const PastFollower& follower) {
  using Automaton = ForbiddenPathAutomaton;
  std::vector<ExtraState> extra;
  std::vector<bool> ends_here(graph.node_count());
  for (EdgeIndex i = 0; i < graph.edge_count(); ++i) {
    if (follower.IsDestinationOnly(i)) ends_here[graph.edge(i).to] = true;
  }
  for (NodeIndex node = 0; node < graph.node_count(); ++node) {
    if (!ends_here[node]) continue;
    extra.push_back({node, {Automaton::kStart, Passage::kLeaving}});
    extra.push_back({node, {Automaton::kStart, Passage::kArriving}});
  }
  const Automaton& automaton = follower.automaton();
  for (Automaton::State s = Automaton::kStart + 1; s < automaton.size(); ++s) {
    const EdgeIndex last = automaton.last_edge(s);
    const NodeIndex node = graph.edge(last).to;
    if (follower.IsDestinationOnly(last)) {
      extra.push_back({node, {s, Passage::kLeaving}});
      extra.push_back({node, {s, Passage::kArriving}});
    } else {
      extra.push_back({node, {s, Passage::kThrough}});
    }
  }
  std::stable_sort(extra.begin(), extra.end(),
                   [](const ExtraState& a, const ExtraState& b) { return a.node < b.node; });
  return extra;
}

}  // namespace

TurnGraph::TurnGraph(const RoadGraph& graph, DestinationRule rule) : graph_(graph) {
  std::vector<EdgePath> forbidden(graph.forbidden_paths().begin(), graph.forbidden_paths().end());
  for (EdgePath& path : FindForbiddenUTurns(graph)) forbidden.push_back(std::move(path));
  const PastFollower follower(graph, rule, forbidden);

  const std::vector<ExtraState> extra = ExtraStates(graph, follower);
  node_.resize(graph.node_count());
  std::iota(node_.begin(), node_.end(), NodeIndex{0});
  first_extra_.assign(graph.node_count() + 1, 0);
  for (const ExtraState& state : extra) {
    node_.push_back(state.node);
    ++first_extra_[state.node + 1];
  }
  first_extra_[0] = static_cast<StateIndex>(graph.node_count());
  std::partial_sum(first_extra_.begin(), first_extra_.end(), first_extra_.begin());

  const Past plain{ForbiddenPathAutomaton::kStart, Passage::kThrough};
  const auto state_at = [&](NodeIndex node, const Past& past) {
    if (past == plain) return StateIndex{node};
    StateIndex state = first_extra_[node];
    while (extra[state - graph.node_count()].past != past) ++state;
    return state;
  };
  arcs_.reserve(graph.edge_count());
  for (StateIndex state = 0; state < node_.size(); ++state) {
    first_arc_.push_back(static_cast<std::uint32_t>(arcs_.size()));
    const Past past = state < graph.node_count() ? plain : extra[state - graph.node_count()].past;
    for (EdgeIndex i = graph.FirstOut(node_[state]); i < graph.FirstOut(node_[state] + 1); ++i) {
      if (follower.IsForbidden(past, i)) continue;
      arcs_.push_back({state_at(graph.edge(i).to, follower.Next(past, i)), i});
    }
  }
  first_arc_.push_back(static_cast<std::uint32_t>(arcs_.size()));
  after_.reserve(graph.edge_count());
  for (EdgeIndex i = 0; i < graph.edge_count(); ++i) {
    after_.push_back(state_at(graph.edge(i).to, follower.Begun(i)));
  }
}

bool TurnGraph::MayTake(StateIndex state, EdgeIndex edge) const {
  if (state < graph_.node_count()) return true;  // The plain state, in which nothing is forbidden.
  const auto arcs = Arcs(state);
  return std::any_of(arcs.begin(), arcs.end(), [&](const Arc& arc) { return arc.edge == edge; });
}

std::vector<bool> EdgesOfLargestComponent(const TurnGraph& turns) {
  std::vector<std::uint32_t> first;
  std::vector<std::uint32_t> heads;
  heads.reserve(turns.arc_count());
  for (StateIndex state = 0; state < turns.state_count(); ++state) {
    first.push_back(turns.FirstArc(state));
    for (const TurnGraph::Arc& arc : turns.Arcs(state)) heads.push_back(arc.head);
  }
  first.push_back(static_cast<std::uint32_t>(heads.size()));
  const StrongComponents components = FindStrongComponents(first, heads);
  const std::uint32_t largest = components.Largest();

  std::vector<bool> inside(turns.graph().edge_count());
  for (StateIndex state = 0; state < turns.state_count(); ++state) {
    if (components.component[state] != largest) continue;
    for (const TurnGraph::Arc& arc : turns.Arcs(state)) {
      if (components.component[arc.head] == largest) inside[arc.edge] = true;
    }
  }
  return inside;
}

}  // namespace ridestream::roads
