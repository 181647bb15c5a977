#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace ridestream::bench {

/// Some rows, covered together for a cost.
struct PartitionColumn {
  std::vector<std::size_t> rows;
  double cost = 0;
};

/// The columns that cover each of the rows before `at_most_once` exactly once and each other one at
/// most once, at the least cost, by Cbc's branch and cut. Nothing if it didn't prove the optimum.
/// For tests.
std::optional<std::vector<std::size_t>> CheapestPartition(
    std::size_t rows, std::size_t at_most_once, const std::vector<PartitionColumn>& columns);

}  // namespace ridestream::bench
