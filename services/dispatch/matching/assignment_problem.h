#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

namespace ridestream::dispatch {

/// Possible pairs and their costs: rows (riders) and columns (drivers), of whose pairs only
/// some are possible. Each row takes at most one column and each column at most one row; a row that
/// takes none costs its price.
class AssignmentProblem {
 public:
  /// Costs and prices are in 0 to kMaxCost, so that no sum overflows.
  static constexpr std::int64_t kMaxCost = std::int64_t{1} << 40;

  struct Option {
    std::uint32_t column = 0;
    std::int64_t cost = 0;
  };

  explicit AssignmentProblem(std::uint32_t columns) : columns_(columns) {}

  /// Begins the next row, without options.
  void AddRow(std::int64_t price_unmatched);
  /// Adds an option to the last row. Of several for the same column the cheapest counts.
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
  /// By row.
  std::vector<std::uint32_t> column_of;
  /// The chosen options' costs and the prices of the rows without one.
  std::int64_t cost = 0;
  /// Rows, the last ones, for which no time was left: each took what was free and cheapest for it.
  /// The assignment is optimal for the rows before them, and for all if it is 0.
  std::uint32_t greedy_rows = 0;
};

/// Tells a solver that its time is over. Asked before each row; once true it stays so.
using OutOfTime = std::function<bool()>;
/// Makes one as a round begins. Injected, so that what a clock decides can be replayed.
using StartDeadline = std::function<OutOfTime()>;
/// The deadline of a solver that may take as long as it needs.
StartDeadline NoDeadline();

/// The cheapest assignment, by successive shortest augmenting paths over reduced costs: Jonker and
/// Volgenant, "A shortest augmenting path algorithm for dense and sparse linear assignment
/// problems", 1987, with a heap for the sparse and rectangular case as in Crouse, "On implementing
/// 2D rectangular assignment algorithms", 2016. At most O(rows * options * log options), in
/// practice near to the number of options. The same problem has always the same answer, also among
/// assignments that are equally cheap.
AssignmentSolution Solve(const AssignmentProblem& problem, const OutOfTime& out_of_time);

}  // namespace ridestream::dispatch
