#include "libs/roads/turn_graph.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

#include "libs/roads/forbidden_path_automaton.h"
#include "libs/roads/strong_components.h"
#include "libs/roads/u_turns.h"

namespace ridestream::roads {

TurnGraph::TurnGraph(const RoadGraph& graph) : graph_(graph) {
  using Automaton = ForbiddenPathAutomaton;
  std::vector<EdgePath> forbidden(graph.forbidden_paths().begin(), graph.forbidden_paths().end());
  for (EdgePath& path : FindForbiddenUTurns(graph)) forbidden.push_back(std::move(path));
  const Automaton automaton(forbidden);

  // The automaton's states but the first lie at the ends of their paths. By node:
  std::vector<Automaton::State> extra(automaton.size() - 1);
  std::iota(extra.begin(), extra.end(), Automaton::kStart + 1);
  const auto node_of = [&](Automaton::State s) { return graph.edge(automaton.last_edge(s)).to; };
  std::stable_sort(extra.begin(), extra.end(),
                   [&](auto a, auto b) { return node_of(a) < node_of(b); });
  node_.resize(graph.node_count());
  std::iota(node_.begin(), node_.end(), NodeIndex{0});
  first_extra_.assign(graph.node_count() + 1, 0);
  std::vector<StateIndex> index_of(automaton.size());
  for (const Automaton::State s : extra) {
    index_of[s] = static_cast<StateIndex>(node_.size());
    node_.push_back(node_of(s));
    ++first_extra_[node_.back() + 1];
  }
  first_extra_[0] = static_cast<StateIndex>(graph.node_count());
  std::partial_sum(first_extra_.begin(), first_extra_.end(), first_extra_.begin());

  const auto state_at = [&](Automaton::State s, EdgeIndex edge) {
    return s == Automaton::kStart ? graph.edge(edge).to : index_of[s];
  };
  arcs_.reserve(graph.edge_count());
  for (StateIndex state = 0; state < node_.size(); ++state) {
    first_arc_.push_back(static_cast<std::uint32_t>(arcs_.size()));
    const bool plain = state < graph.node_count();
    const Automaton::State s = plain ? Automaton::kStart : extra[state - graph.node_count()];
    for (EdgeIndex i = graph.FirstOut(node_[state]); i < graph.FirstOut(node_[state] + 1); ++i) {
      if (!automaton.IsForbidden(s, i)) arcs_.push_back({state_at(automaton.Next(s, i), i), i});
    }
  }
  first_arc_.push_back(static_cast<std::uint32_t>(arcs_.size()));
  after_.reserve(graph.edge_count());
  for (EdgeIndex i = 0; i < graph.edge_count(); ++i) {
    after_.push_back(state_at(automaton.Next(Automaton::kStart, i), i));
  }
}

bool TurnGraph::MayTake(StateIndex state, EdgeIndex edge) const {
  if (state < graph_.node_count()) return true;  // the plain state: nothing is forbidden
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
