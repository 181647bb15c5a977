#include "services/dispatch/matching/testing/lemon_oracle.h"

#include <lemon/network_simplex.h>
#include <lemon/smart_graph.h>

#include <cstdlib>

namespace ridestream::dispatch {

std::int64_t LeastCostByLemon(const std::vector<std::int64_t>& prices, int columns,
                              const std::vector<OraclePair>& pairs) {
  using Graph = lemon::SmartDigraph;
  if (prices.empty()) return 0;
  Graph graph;
  std::vector<Graph::Node> row_nodes, column_nodes;
  for (std::size_t row = 0; row < prices.size(); ++row) row_nodes.push_back(graph.addNode());
  for (int column = 0; column < columns; ++column) column_nodes.push_back(graph.addNode());
  const Graph::Node sink = graph.addNode();
  Graph::ArcMap<std::int64_t> cost(graph, 0);
  Graph::ArcMap<std::int64_t> capacity(graph, 1);
  Graph::NodeMap<std::int64_t> supply(graph, 0);
  for (std::size_t row = 0; row < prices.size(); ++row) {
    supply[row_nodes[row]] = 1;
    const Graph::Arc none = graph.addArc(row_nodes[row], sink);
    cost[none] = prices[row];
    capacity[none] = 1;
  }
  supply[sink] = -static_cast<std::int64_t>(prices.size());
  for (const OraclePair& pair : pairs) {
    const Graph::Arc arc = graph.addArc(row_nodes[static_cast<std::size_t>(pair.row)],
                                        column_nodes[static_cast<std::size_t>(pair.column)]);
    cost[arc] = pair.cost;
    capacity[arc] = 1;
  }
  for (const Graph::Node column : column_nodes) {
    const Graph::Arc arc = graph.addArc(column, sink);
    cost[arc] = 0;
    capacity[arc] = 1;
  }
  lemon::NetworkSimplex<Graph, std::int64_t, std::int64_t> simplex(graph);
  simplex.upperMap(capacity).costMap(cost).supplyMap(supply);
  if (simplex.run() != decltype(simplex)::OPTIMAL) std::abort();  // Each row can go to the sink.
  return simplex.totalCost<std::int64_t>();
}

}  // namespace ridestream::dispatch
