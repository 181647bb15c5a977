#pragma once

#include <cstdint>
#include <vector>

namespace ridestream::dispatch {

/// A possible pair. A plain struct, since the oracle is compiled as C++17: LEMON doesn't compile as
/// C++20.
struct OraclePair {
  int row = 0;
  int column = 0;
  std::int64_t cost = 0;
};

/// Returns the cost of an optimal assignment, computed by LEMON's network simplex. For tests.
std::int64_t LeastCostByLemon(const std::vector<std::int64_t>& prices, int columns,
                              const std::vector<OraclePair>& pairs);

}  // namespace ridestream::dispatch
