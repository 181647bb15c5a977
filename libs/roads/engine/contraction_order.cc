#include "libs/roads/engine/contraction_order.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "libs/roads/engine/nested_dissection.h"
#include "libs/roads/engine/unit_flow.h"

namespace ridestream::roads {
namespace {

constexpr std::size_t kFewNeighbours = 2;

/// The undirected streets, of which nodes are contracted one after another.
class Shrinking {
 public:
  explicit Shrinking(const RoadGraph& graph)
      : neighbours_(graph.node_count()), contracted_(graph.node_count()) {
    for (const Edge& e : graph.edges()) Join(e.from, e.to);
  }

  /// Contracts nodes with few neighbours until none remain, and appends them to `order`.
  void ContractSimpleNodes(std::vector<NodeIndex>& order) {
    std::vector<NodeIndex> round(neighbours_.size());
    std::iota(round.begin(), round.end(), NodeIndex{0});
    std::vector<std::uint32_t> touched(neighbours_.size());  // the last round that changed it
    for (std::uint32_t number = 1; !round.empty(); ++number) {
      std::vector<NodeIndex> next;
      for (const NodeIndex node : round) {
        if (contracted_[node] || neighbours_[node].size() > kFewNeighbours) continue;
        if (touched[node] == number) {
          next.push_back(node);
          continue;
        }
        for (const NodeIndex neighbour : neighbours_[node]) touched[neighbour] = number;
        next.insert(next.end(), neighbours_[node].begin(), neighbours_[node].end());
        Contract(node);
        order.push_back(node);
      }
      round = std::move(next);
    }
  }

  /// The remaining graph. Sets `nodes` to its nodes' numbers in the road graph.
  UndirectedGraph Rest(std::vector<NodeIndex>& nodes) const {
    std::vector<std::uint32_t> number(neighbours_.size());
    for (NodeIndex node = 0; node < neighbours_.size(); ++node) {
      number[node] = static_cast<std::uint32_t>(nodes.size());
      if (!contracted_[node]) nodes.push_back(node);
    }
    UndirectedGraph rest;
    for (const NodeIndex node : nodes) {
      rest.first.push_back(static_cast<std::uint32_t>(rest.heads.size()));
      for (const NodeIndex neighbour : neighbours_[node]) rest.heads.push_back(number[neighbour]);
    }
    rest.first.push_back(static_cast<std::uint32_t>(rest.heads.size()));
    return rest;
  }

 private:
  void Join(NodeIndex a, NodeIndex b) {
    if (std::find(neighbours_[a].begin(), neighbours_[a].end(), b) != neighbours_[a].end()) return;
    neighbours_[a].push_back(b);
    neighbours_[b].push_back(a);
  }

  void Contract(NodeIndex node) {
    contracted_[node] = true;
    const auto around = neighbours_[node];
    neighbours_[node].clear();
    for (const NodeIndex neighbour : around) {
      auto& theirs = neighbours_[neighbour];
      theirs.erase(std::find(theirs.begin(), theirs.end(), node));
    }
    if (around.size() == 2) Join(around[0], around[1]);
  }

  std::vector<absl::InlinedVector<NodeIndex, 4>> neighbours_;
  std::vector<bool> contracted_;
};

}  // namespace

std::vector<NodeIndex> FindContractionOrder(const RoadGraph& graph) {
  std::vector<NodeIndex> order;
  order.reserve(graph.node_count());
  Shrinking streets(graph);
  streets.ContractSimpleNodes(order);
  std::vector<NodeIndex> nodes;
  const UndirectedGraph rest = streets.Rest(nodes);
  std::vector<LatLng> places;
  places.reserve(nodes.size());
  for (const NodeIndex node : nodes) places.push_back(graph.position(node));
  for (const std::uint32_t i : NestedDissection(rest, places)) order.push_back(nodes[i]);
  return order;
}

}  // namespace ridestream::roads
