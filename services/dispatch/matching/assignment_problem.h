#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

namespace ridestream::dispatch {

/// A sparse assignment problem: rows (riders), columns (drivers), and costs of the possible pairs.
/// Each row takes at most one column and each column at most one row. A row without a column costs
/// its price.
class AssignmentProblem {
 public:
  /// Costs and prices are from 0 to kMaxCost, so that no sum overflows.
  static constexpr std::int64_t kMaxCost = std::int64_t{1} << 40;

  struct Option {
    std::uint32_t column = 0;
    std::int64_t cost = 0;
  };

  explicit AssignmentProblem(std::uint32_t columns) : columns_(columns) {}

  /// Adds a row without options.
  void AddRow(std::int64_t price_unmatched);
  /// Adds an option to the last row. Of several options for the same column, the cheapest counts.
  void AddOption(std::uint32_t column, std::int64_t cost);

  std::uint32_t columns() const { return columns_; }
  std::uint32_t rows() const { return static_cast<std::uint32_t>(price_.size()); }
  std::int64_t price(std::uint32_t row) const { return price_[row]; }
  const Option* begin(std::uint32_t row) const { return options_.data() + first_[row]; }
  const Option* end(std::uint32_t row) const { return options_.data() + first_[row + 1]; }

 private:
  std::uint32_t columns_;
  std::vector<std::size_t> first_{0};
  std::vector<Option> options_;
  std::vector<std::int64_t> price_;
};

struct AssignmentSolution {
  static constexpr std::uint32_t kUnmatched = std::numeric_limits<std::uint32_t>::max();
  /// Indexed by row.
  std::vector<std::uint32_t> column_of;
  /// Sum of the chosen options' costs and the prices of rows without an option.
  std::int64_t cost = 0;
  /// Number of rows at the end for which no time was left. Each took its cheapest free column. The
  /// assignment of the rows before them is optimal.
  std::uint32_t greedy_rows = 0;
};

/// Returns whether the solver must stop. Called before each row. Stays true once it is.
using OutOfTime = std::function<bool()>;
/// Makes a deadline when a round begins. Injected, so that a round can be replayed without a clock.
using StartDeadline = std::function<OutOfTime()>;
/// A deadline that never expires.
StartDeadline NoDeadline();

/// Finds the cheapest assignment by successive shortest augmenting paths over reduced costs: Jonker
/// and Volgenant, "A shortest augmenting path algorithm for dense and sparse linear assignment
/// problems", 1987, with a heap for the sparse and rectangular case as in Crouse, "On implementing
/// 2D rectangular assignment algorithms", 2016. At most O(rows * options * log options), in
/// practice close to the number of options. Deterministic, also among equally cheap assignments.
AssignmentSolution Solve(const AssignmentProblem& problem, const OutOfTime& out_of_time);

}  // namespace ridestream::dispatch
