#include "tests/sim/run.h"

#include "tests/sim/world.h"

namespace ridestream::sim {

RunResult Run(const RunOptions& options) { return World(options).Run(); }

RunResult FindShortest(RunOptions options, const RunResult& failed) {
  options.print = false;
  // A violation during the faults was detected immediately, so everything before it is needed. A
  // violation found at rest may need less. Bisection finds a locally shortest prefix; a shorter one
  // may fail differently.
  std::uint64_t good = 0;
  std::uint64_t bad = failed.steps_with_faults;
  RunResult shortest = failed;
  if (failed.steps == failed.steps_with_faults) {
    options.steps = failed.steps;
    return Run(options);
  }
  while (good + 1 < bad) {
    options.steps = good + (bad - good) / 2;
    const RunResult result = Run(options);
    if (result.ok()) {
      good = options.steps;
    } else {
      bad = result.steps_with_faults;
      shortest = result;
    }
  }
  return shortest;
}

}  // namespace ridestream::sim
