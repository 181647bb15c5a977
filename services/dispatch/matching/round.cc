#include "services/dispatch/matching/round.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"

namespace ridestream::dispatch {
namespace {

/// One way of serving a trip.
struct Option {
  RoundChoice choice;
  Duration cost;

  const DriverId& driver() const {
    return choice.insertion != nullptr ? choice.insertion->driver : choice.driver->driver;
  }
};

/// A trip's options, cheapest first.
struct Row {
  const RoundTrip* trip;
  std::vector<Option> options = {};
  /// Taken only if no trip chose the driver otherwise.
  std::vector<Option> last_resorts = {};
};

/// Null if no option was chosen.
using Chosen = std::vector<const Option*>;

/// Converts to the solver's unit, milliseconds, clamped to its range.
std::int64_t ToSolver(Duration cost) {
  return std::clamp<std::int64_t>(cost / std::chrono::milliseconds(1), 0,
                                  AssignmentProblem::kMaxCost);
}

Duration CostOf(const RoundRules& rules, const Costs& costs, const RoundTrip& trip,
                const RoundDriver& driver) {
  switch (rules.method) {
    case MatchingMethod::kNearestByLine:  // One millisecond a metre: only the order counts.
      return std::chrono::round<Duration>(std::chrono::duration<double, std::milli>(
          FastDistanceM(trip.pickup, driver.candidate->position)));
    case MatchingMethod::kNearestByTime:
      return driver.candidate->travel_time;
    case MatchingMethod::kAssignment:
      break;
  }
  return costs.OfFreeDriver(trip.costed, driver.candidate->travel_time, driver.acceptance);
}

Row MakeRow(const RoundRules& rules, const Costs& costs, const RoundTrip& trip, Time now) {
  Row row{&trip};
  for (const RoundDriver& driver : trip.drivers) {
    const Time there_at = now + rules.response + driver.candidate->travel_time;
    if (trip.latest_pickup && there_at > *trip.latest_pickup) continue;
    (driver.last_resort ? row.last_resorts : row.options)
        .push_back({{driver.candidate, nullptr}, CostOf(rules, costs, trip, driver)});
  }
  for (const InsertionFound* found : trip.insertions) {
    row.options.push_back(
        {{nullptr, found}, costs.OfInsertion(trip.costed, found->insertion.cost)});
  }
  // A driver whose offer expired gets it again only if there is no other candidate.
  if (row.options.empty() && trip.looks_furthest) {
    row.options = std::exchange(row.last_resorts, {});
  }
  // Ties go to the smallest id, independent of the order of input.
  const auto cheaper = [](const Option& a, const Option& b) {
    return std::tie(a.cost, a.driver()) < std::tie(b.cost, b.driver());
  };
  std::sort(row.options.begin(), row.options.end(), cheaper);
  std::sort(row.last_resorts.begin(), row.last_resorts.end(), cheaper);
  return row;
}

Chosen AssignNearest(const std::vector<Row>& rows) {
  Chosen chosen;
  std::set<DriverId> taken;
  for (const Row& row : rows) {
    const auto nearest =
        std::find_if(row.options.begin(), row.options.end(),
                     [&](const Option& option) { return !taken.contains(option.driver()); });
    chosen.push_back(nearest == row.options.end() ? nullptr : &*nearest);
    if (chosen.back() != nullptr) taken.insert(chosen.back()->driver());
  }
  return chosen;
}

/// Numbers drivers in the order of their first lookup.
class Columns {
 public:
  std::uint32_t Of(const DriverId& driver) {
    return of_.try_emplace(driver, static_cast<std::uint32_t>(of_.size())).first->second;
  }
  std::uint32_t size() const { return static_cast<std::uint32_t>(of_.size()); }

 private:
  absl::flat_hash_map<DriverId, std::uint32_t> of_;
};

Chosen AssignCheapest(const Costs& costs, const std::vector<Row>& rows,
                      const OutOfTime& out_of_time, bool& was_out_of_time) {
  Columns columns;
  for (const Row& row : rows) {
    for (const Option& option : row.options) (void)columns.Of(option.driver());
  }
  AssignmentProblem problem(columns.size());
  for (const Row& row : rows) {
    problem.AddRow(ToSolver(costs.OfWaiting(row.trip->costed)));
    for (const Option& option : row.options) {
      problem.AddOption(columns.Of(option.driver()), ToSolver(option.cost));
    }
  }
  const AssignmentSolution assignment = Solve(problem, out_of_time);
  was_out_of_time = assignment.greedy_rows > 0;

  Chosen chosen(rows.size(), nullptr);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (const Option& option : rows[i].options) {
      if (columns.Of(option.driver()) != assignment.column_of[i]) continue;
      chosen[i] = &option;
      break;
    }
  }
  return chosen;
}

/// Assigns a leftover driver to each row without an option, at any cost; an insertion only to a
/// trip in its last round.
void AssignLeftoverDrivers(const std::vector<Row>& rows, const OutOfTime& out_of_time,
                           Chosen& chosen) {
  absl::flat_hash_set<DriverId> assigned;
  for (const Option* option : chosen) {
    if (option != nullptr) assigned.insert(option->driver());
  }
  struct Offered {
    std::size_t row;
    std::map<std::uint32_t, const Option*> by_column = {};
  };
  std::vector<Offered> offered;
  Columns columns;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (chosen[i] != nullptr || rows[i].trip->held_by_price) continue;
    Offered row{i};
    for (const auto* options : {&rows[i].options, &rows[i].last_resorts}) {
      for (const Option& option : *options) {
        if (assigned.contains(option.driver())) continue;
        // An expensive insertion delays the others by more than it is worth, but is better than no
        // ride.
        if (option.choice.insertion != nullptr && !rows[i].trip->last_look) continue;
        row.by_column.try_emplace(columns.Of(option.driver()), &option);
      }
    }
    if (!row.by_column.empty()) offered.push_back(std::move(row));
  }
  if (offered.empty()) return;
  AssignmentProblem problem(columns.size());
  for (const Offered& row : offered) {
    problem.AddRow(AssignmentProblem::kMaxCost);
    for (const auto& [column, option] : row.by_column) {
      problem.AddOption(column, ToSolver(option->cost));
    }
  }
  const AssignmentSolution assignment = Solve(problem, out_of_time);
  for (std::size_t i = 0; i < offered.size(); ++i) {
    const auto option = offered[i].by_column.find(assignment.column_of[i]);
    if (option != offered[i].by_column.end()) chosen[offered[i].row] = option->second;
  }
}

}  // namespace

RoundDecisions DecideRound(const RoundRules& rules, const RoundSnapshot& snapshot,
                           const StartDeadline& start_deadline) {
  const Costs costs(rules.costs, rules.dwell);
  std::vector<Row> rows;
  rows.reserve(snapshot.trips.size());
  for (const RoundTrip& trip : snapshot.trips) {
    rows.push_back(MakeRow(rules, costs, trip, snapshot.now));
  }
  RoundDecisions decisions;
  const OutOfTime out_of_time = start_deadline();
  Chosen chosen = rules.method == MatchingMethod::kAssignment
                      ? AssignCheapest(costs, rows, out_of_time, decisions.out_of_time)
                      : AssignNearest(rows);
  AssignLeftoverDrivers(rows, out_of_time, chosen);
  for (const Option* option : chosen) {
    decisions.choices.push_back(option == nullptr ? RoundChoice() : option->choice);
  }
  return decisions;
}

std::vector<std::size_t> ChooseMoves(const Costs& costs, std::span<const MoveOption> options) {
  std::vector<std::size_t> by_gain;
  for (std::size_t i = 0; i < options.size(); ++i) {
    if (costs.IsWorthMoving(options[i].gain)) by_gain.push_back(i);
  }
  std::stable_sort(by_gain.begin(), by_gain.end(),
                   [&](std::size_t a, std::size_t b) { return options[a].gain > options[b].gain; });
  std::vector<std::size_t> chosen;
  std::set<DriverId> changed;
  for (const std::size_t i : by_gain) {
    const MoveOption& option = options[i];
    std::set<DriverId> changes{option.from, option.to};
    if (!option.room_from.str().empty()) changes.insert(option.room_from);
    if (std::any_of(changes.begin(), changes.end(),
                    [&](const DriverId& driver) { return changed.contains(driver); })) {
      continue;
    }
    changed.merge(changes);
    chosen.push_back(i);
  }
  return chosen;
}

}  // namespace ridestream::dispatch
