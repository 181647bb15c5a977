#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace ridestream::bench {

/// A set of rows that a column covers, and its cost.
struct PartitionColumn {
  std::vector<std::size_t> rows;
  double cost = 0;
};

/// The cheapest set of columns that covers each row before `at_most_once` exactly once and every
/// other row at most once, by Cbc's branch and cut. nullopt if the optimum wasn't proven. For
/// tests.
std::optional<std::vector<std::size_t>> CheapestPartition(
    std::size_t rows, std::size_t at_most_once, const std::vector<PartitionColumn>& columns);

}  // namespace ridestream::bench
