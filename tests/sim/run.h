#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "tests/sim/faults.h"

namespace ridestream::sim {

struct RunOptions {
  std::uint64_t seed = 1;
  /// Number of events while faults are active; after them everything must come to rest.
  std::uint64_t steps = 3'000;
  /// Prints every step.
  bool print = false;
  /// Folder for a record of each life of a dispatch process; empty records nothing. The run is the
  /// same.
  std::string record = {};
};

struct RunResult {
  std::uint64_t seed = 0;
  /// In all, and how many of them with faults.
  std::uint64_t steps = 0;
  std::uint64_t steps_with_faults = 0;
  FaultCounts faults{};
  /// What happened, kind by kind, so that one knows that the run looked at something.
  std::map<std::string, std::uint64_t> seen;
  std::uint64_t trace_hash = 0;
  /// The first thing that must never happen; empty if all is well.
  std::string violation;

  bool ok() const { return violation.empty(); }
};

/// The same options give the same result, to the bit.
RunResult Run(const RunOptions& options);

/// The shortest prefix of a run that fails (the same seed with fewer steps) and still fails.
RunResult FindShortest(RunOptions options, const RunResult& failed);

}  // namespace ridestream::sim
