#pragma once

#include <cstdint>
#include <vector>

namespace ridestream::dispatch {

/// A pair that may be made. Plain, because the oracle is compiled as C++17, which is as far as
/// LEMON goes.
struct OraclePair {
  int row = 0;
  int column = 0;
  std::int64_t cost = 0;
};

/// The least cost of an assignment, by LEMON's network simplex. For tests.
std::int64_t LeastCostByLemon(const std::vector<std::int64_t>& prices, int columns,
                              const std::vector<OraclePair>& pairs);

}  // namespace ridestream::dispatch
