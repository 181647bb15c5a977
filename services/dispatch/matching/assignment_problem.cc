#include "services/dispatch/matching/assignment_problem.h"

#include <algorithm>

#include "libs/base/invariant.h"

namespace ridestream::dispatch {
namespace {

constexpr std::uint32_t kNone = AssignmentSolution::kUnmatched;
constexpr std::int64_t kFar = std::numeric_limits<std::int64_t>::max();

/// The solver's state. `row_price_` and `column_price_` are the dual variables: no option costs
/// less than the sum of its row's and its column's price, and chosen options cost exactly that.
class Solver {
 public:
  explicit Solver(const AssignmentProblem& problem)
      : problem_(problem),
        column_of_(problem.rows(), kNone),
        row_of_(problem.columns(), kNone),
        row_price_(problem.rows(), 0),
        column_price_(problem.columns(), 0),
        distance_(problem.columns(), kFar),
        reached_from_(problem.columns(), kNone) {}

  /// Adds `row` to the assignment. Other rows may change their column or lose it.
  void Augment(std::uint32_t row) {
    const End end = Search(row);
    // The prices of the visited rows and their columns change by the difference between the path's
    // length and their distance.
    row_price_[row] += end.distance;
    for (const std::uint32_t column : settled_) {
      const std::int64_t nearer = end.distance - distance_[column];
      column_price_[column] -= nearer;
      row_price_[row_of_[column]] += nearer;
    }
    Turn(row, end);
    for (const std::uint32_t column : touched_) distance_[column] = kFar;
    touched_.clear();
    settled_.clear();
    heap_.clear();
  }

  void AssignCheapestFree(std::uint32_t row) {
    std::int64_t least = problem_.price(row);
    std::uint32_t best = kNone;
    for (const auto* option = problem_.begin(row); option != problem_.end(row); ++option) {
      if (row_of_[option->column] != kNone || option->cost >= least) continue;
      least = option->cost;
      best = option->column;
    }
    if (best == kNone) return;
    row_of_[best] = row;
    column_of_[row] = best;
  }

  std::vector<std::uint32_t> TakeColumns() { return std::move(column_of_); }

 private:
  /// The end of a path: a free column, or a row that loses its column.
  struct End {
    std::int64_t distance;
    std::uint32_t column;
    std::uint32_t row;
  };
  struct Entry {
    std::int64_t distance;
    std::uint32_t column;
    /// Orders the heap by distance, nearest at the top, ties by index.
    bool operator<(const Entry& other) const {
      return distance != other.distance ? distance > other.distance : column > other.column;
    }
  };

  End Search(std::uint32_t start) {
    End way_out{kFar, kNone, kNone};
    std::uint32_t row = start;
    std::int64_t so_far = 0;
    while (true) {
      const std::int64_t without = so_far + problem_.price(row) - row_price_[row];
      if (without < way_out.distance) way_out = {without, kNone, row};
      Reach(row, so_far, way_out.distance);
      std::uint32_t column = kNone;
      while (!heap_.empty() && column == kNone) {
        std::pop_heap(heap_.begin(), heap_.end());
        const Entry top = heap_.back();
        heap_.pop_back();
        if (top.distance == distance_[top.column]) column = top.column;
      }
      if (column == kNone || distance_[column] >= way_out.distance) return way_out;
      so_far = distance_[column];
      row = row_of_[column];
      if (row == kNone) return {so_far, column, kNone};
      settled_.push_back(column);
    }
  }

  void Reach(std::uint32_t row, std::int64_t so_far, std::int64_t limit) {
    for (const auto* option = problem_.begin(row); option != problem_.end(row); ++option) {
      const std::uint32_t column = option->column;
      const std::int64_t distance = so_far + option->cost - row_price_[row] - column_price_[column];
      if (distance >= distance_[column] || distance >= limit) continue;
      if (distance_[column] == kFar) touched_.push_back(column);
      distance_[column] = distance;
      reached_from_[column] = row;
      heap_.push_back({distance, column});
      std::push_heap(heap_.begin(), heap_.end());
    }
  }

  /// Each row on the path takes the column through which the path left it.
  void Turn(std::uint32_t start, const End& end) {
    std::uint32_t column = end.column;
    if (column == kNone) {
      column = column_of_[end.row];
      column_of_[end.row] = kNone;
      if (end.row == start) return;
    }
    std::uint32_t row = kNone;
    while (row != start) {
      row = reached_from_[column];
      row_of_[column] = row;
      std::swap(column, column_of_[row]);
    }
  }

  const AssignmentProblem& problem_;
  std::vector<std::uint32_t> column_of_;
  std::vector<std::uint32_t> row_of_;
  std::vector<std::int64_t> row_price_;
  std::vector<std::int64_t> column_price_;
  // State of the current search.
  std::vector<std::int64_t> distance_;
  std::vector<std::uint32_t> reached_from_;
  std::vector<std::uint32_t> touched_;
  std::vector<std::uint32_t> settled_;
  std::vector<Entry> heap_;
};

std::int64_t CostOf(const AssignmentProblem& problem, const std::vector<std::uint32_t>& column_of) {
  std::int64_t sum = 0;
  for (std::uint32_t row = 0; row < problem.rows(); ++row) {
    std::int64_t cost = column_of[row] == kNone ? problem.price(row) : kFar;
    for (const auto* option = problem.begin(row); option != problem.end(row); ++option) {
      if (option->column == column_of[row]) cost = std::min(cost, option->cost);
    }
    sum += cost;
  }
  return sum;
}

}  // namespace

void AssignmentProblem::AddRow(std::int64_t price_unmatched) {
  if (!RIDESTREAM_INVARIANT(price_unmatched >= 0 && price_unmatched <= kMaxCost,
                            "a row's price is within the bounds")) {
    price_unmatched = std::clamp<std::int64_t>(price_unmatched, 0, kMaxCost);
  }
  price_.push_back(price_unmatched);
  first_.push_back(options_.size());
}

void AssignmentProblem::AddOption(std::uint32_t column, std::int64_t cost) {
  const bool fits = !price_.empty() && column < columns_ && cost >= 0 && cost <= kMaxCost;
  if (!RIDESTREAM_INVARIANT(fits, "an option is of a row, a column and within the bounds")) return;
  options_.push_back({column, cost});
  ++first_.back();
}

StartDeadline NoDeadline() {
  return [] { return [] { return false; }; };
}

AssignmentSolution Solve(const AssignmentProblem& problem, const OutOfTime& out_of_time) {
  Solver solver(problem);
  AssignmentSolution assignment;
  for (std::uint32_t row = 0; row < problem.rows(); ++row) {
    if (assignment.greedy_rows > 0 || out_of_time()) {
      ++assignment.greedy_rows;
      solver.AssignCheapestFree(row);
    } else {
      solver.Augment(row);
    }
  }
  assignment.column_of = solver.TakeColumns();
  assignment.cost = CostOf(problem, assignment.column_of);
  return assignment;
}

}  // namespace ridestream::dispatch
