#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "tests/sim/faults.h"

namespace ridestream::sim {

struct RunOptions {
  std::uint64_t seed = 1;
  /// Number of events with active faults; after them everything must come to rest.
  std::uint64_t steps = 3'000;
  /// Prints every step.
  bool print = false;
  /// Folder for a record of each life of a dispatch process; empty records nothing. Recording
  /// doesn't change the run.
  std::string record = {};
};

struct RunResult {
  std::uint64_t seed = 0;
  /// In total, and with faults.
  std::uint64_t steps = 0;
  std::uint64_t steps_with_faults = 0;
  FaultCounts faults{};
  /// The number of events by kind, which shows what the run exercised.
  std::map<std::string, std::uint64_t> seen;
  std::uint64_t trace_hash = 0;
  /// The first violation; empty if there was none.
  std::string violation;

  bool ok() const { return violation.empty(); }
};

/// The same options give exactly the same result.
RunResult Run(const RunOptions& options);

/// The shortest prefix of a failing run (the same seed with fewer steps) that still fails.
RunResult FindShortest(RunOptions options, const RunResult& failed);

}  // namespace ridestream::sim
