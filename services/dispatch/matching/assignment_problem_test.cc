#include "services/dispatch/matching/assignment_problem.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "services/dispatch/matching/testing/lemon_oracle.h"

namespace ridestream::dispatch {
namespace {

using ::testing::ElementsAre;

constexpr std::uint32_t kNone = AssignmentSolution::kUnmatched;
constexpr std::uint64_t kRounds = 10'000;

struct Case {
  std::vector<std::int64_t> prices;
  std::uint32_t columns = 0;
  std::vector<OraclePair> pairs;  // By row.
};

AssignmentProblem MakeProblem(const Case& c) {
  AssignmentProblem problem(c.columns);
  std::size_t next = 0;
  for (std::size_t row = 0; row < c.prices.size(); ++row) {
    problem.AddRow(c.prices[row]);
    for (; next < c.pairs.size() && c.pairs[next].row == static_cast<int>(row); ++next) {
      problem.AddOption(static_cast<std::uint32_t>(c.pairs[next].column), c.pairs[next].cost);
    }
  }
  return problem;
}

AssignmentSolution SolveInTime(const AssignmentProblem& problem) {
  return Solve(problem, NoDeadline()());
}

/// Riders and drivers in a plane of 5 km, each rider with the drivers nearest to it, or a random
/// few; costs with many ties in every third round, prices between worthless and prohibitive.
Case RandomRound(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto below = [&](std::uint64_t bound) { return static_cast<int>(random() % bound); };
  Case c;
  const int rows = below(seed % 10 == 0 ? 120 : 25);
  c.columns = static_cast<std::uint32_t>(below(seed % 10 == 1 ? 200 : 30));
  const int columns = static_cast<int>(c.columns);
  const int options = 1 + below(16);
  const int grain = seed % 3 == 0 ? 60'000 : 1;
  std::vector<std::pair<int, int>> cars;
  for (int column = 0; column < columns; ++column) cars.emplace_back(below(5'000), below(5'000));
  for (int row = 0; row < rows; ++row) {
    c.prices.push_back(below(4) == 0 ? 30'000 : 600'000 + below(300'000));
    const int x = below(5'000), y = below(5'000);
    std::vector<OraclePair> pairs;
    for (int column = 0; column < columns; ++column) {
      const int distance = std::abs(cars[static_cast<std::size_t>(column)].first - x) +
                           std::abs(cars[static_cast<std::size_t>(column)].second - y);
      pairs.push_back({row, column, std::int64_t{distance} * 100 / grain * grain});
    }
    if (seed % 2 == 0) {
      std::stable_sort(pairs.begin(), pairs.end(),
                       [](const auto& a, const auto& b) { return a.cost < b.cost; });
    } else {
      std::shuffle(pairs.begin(), pairs.end(), random);
    }
    pairs.resize(std::min<std::size_t>(pairs.size(), static_cast<std::size_t>(options)));
    c.pairs.insert(c.pairs.end(), pairs.begin(), pairs.end());
  }
  return c;
}

/// Each column at most once, only options that exist, and the cost is what it says.
void ExpectValid(const Case& c, const AssignmentSolution& assignment) {
  ASSERT_EQ(assignment.column_of.size(), c.prices.size());
  std::vector<bool> taken(c.columns, false);
  std::int64_t cost = 0;
  for (std::size_t row = 0; row < c.prices.size(); ++row) {
    const std::uint32_t column = assignment.column_of[row];
    if (column == kNone) {
      cost += c.prices[row];
      continue;
    }
    ASSERT_LT(column, c.columns);
    ASSERT_FALSE(taken[column]) << "column " << column << " twice";
    taken[column] = true;
    const auto pair = std::find_if(c.pairs.begin(), c.pairs.end(), [&](const OraclePair& p) {
      return p.row == static_cast<int>(row) && p.column == static_cast<int>(column);
    });
    ASSERT_NE(pair, c.pairs.end()) << "row " << row << " has no option " << column;
    cost += pair->cost;
  }
  EXPECT_EQ(assignment.cost, cost);
}

TEST(AssignmentProblemTest, EqualsTheNetworkSimplexOnTenThousandRounds) {
  std::uint64_t matched = 0, unmatched = 0;
  for (std::uint64_t seed = 1; seed <= kRounds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Case c = RandomRound(seed);
    const AssignmentSolution assignment = SolveInTime(MakeProblem(c));
    ExpectValid(c, assignment);
    ASSERT_EQ(assignment.cost, LeastCostByLemon(c.prices, static_cast<int>(c.columns), c.pairs));
    ASSERT_EQ(assignment.greedy_rows, 0u);
    for (const std::uint32_t column : assignment.column_of)
      ++(column == kNone ? unmatched : matched);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(matched, 50'000u);
  EXPECT_GT(unmatched, 10'000u);
}

TEST(AssignmentProblemTest, LeavesANearDriverToTheTripThatGainsMore) {
  // Both are nearest to column 0; together 10 + 20 beats 5 + 100.
  AssignmentProblem problem(2);
  problem.AddRow(1'000);
  problem.AddOption(0, 5);
  problem.AddOption(1, 20);
  problem.AddRow(1'000);
  problem.AddOption(0, 10);
  problem.AddOption(1, 100);
  const AssignmentSolution assignment = SolveInTime(problem);
  EXPECT_THAT(assignment.column_of, ElementsAre(1, 0));
  EXPECT_EQ(assignment.cost, 30);
}

TEST(AssignmentProblemTest, LeavesOutTheRowWhosePriceIsLowest) {
  AssignmentProblem problem(1);
  for (const std::int64_t price : {300, 200, 400}) {
    problem.AddRow(price);
    problem.AddOption(0, 100);
  }
  EXPECT_THAT(SolveInTime(problem).column_of, ElementsAre(kNone, kNone, 0));
}

TEST(AssignmentProblemTest, LeavesARowOutRatherThanPayMoreThanItsPrice) {
  AssignmentProblem problem(1);
  problem.AddRow(50);
  problem.AddOption(0, 51);
  const AssignmentSolution assignment = SolveInTime(problem);
  EXPECT_THAT(assignment.column_of, ElementsAre(kNone));
  EXPECT_EQ(assignment.cost, 50);
}

TEST(AssignmentProblemTest, TakesTheCheapestOfSeveralOptionsForOneColumn) {
  AssignmentProblem problem(1);
  problem.AddRow(50);
  problem.AddOption(0, 40);
  problem.AddOption(0, 30);
  EXPECT_EQ(SolveInTime(problem).cost, 30);
}

TEST(AssignmentProblemTest, HandlesEmptyRowsAndColumns) {
  EXPECT_EQ(SolveInTime(AssignmentProblem(0)).cost, 0);
  AssignmentProblem problem(0);
  problem.AddRow(7);
  EXPECT_EQ(SolveInTime(problem).cost, 7);
}

TEST(AssignmentProblemTest, AssignsTheRestGreedilyAndCountsItWhenOutOfTime) {
  std::uint64_t worse = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Case c = RandomRound(seed);
    const AssignmentProblem problem = MakeProblem(c);
    const auto in_time = static_cast<int>(problem.rows() / 2);
    const AssignmentSolution best = SolveInTime(problem);
    const AssignmentSolution hasty =
        Solve(problem, [asked = 0, in_time]() mutable { return ++asked > in_time; });
    ExpectValid(c, hasty);
    EXPECT_EQ(hasty.greedy_rows, problem.rows() - problem.rows() / 2);
    EXPECT_GE(hasty.cost, best.cost);
    worse += hasty.cost > best.cost ? 1 : 0;
  }
  EXPECT_GT(worse, 0u) << "time makes no difference, so nothing was tested";
}

TEST(AssignmentProblemTest, TheSameProblemHasTheSameAnswer) {
  for (std::uint64_t seed = 3; seed <= 300; seed += 3) {  // Those with many ties.
    const AssignmentProblem problem = MakeProblem(RandomRound(seed));
    EXPECT_EQ(SolveInTime(problem).column_of, SolveInTime(problem).column_of);
  }
}

}  // namespace
}  // namespace ridestream::dispatch
