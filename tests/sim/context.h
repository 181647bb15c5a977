#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "loadtest/base/random.h"
#include "tests/sim/agenda.h"
#include "tests/sim/faults.h"
#include "tests/sim/trace.h"

namespace ridestream::sim {

/// What all parts of one run share. Not thread-safe.
struct Context {
  Context(std::uint64_t seed, bool print) : trace(agenda, print), faults(seed), random(seed, 2) {}
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  /// "t-17": an id that nothing else has, in any life of any process.
  std::string NextId(char kind) { return fmt::format("{}-{}", kind, ++last_id); }
  /// Something happened that must never happen.
  void Violated(std::string what) {
    trace.Line("VIOLATION: {}", what);
    violations.push_back(std::move(what));
  }
  void Expect(bool condition, const std::string& otherwise) {
    if (!condition) Violated(otherwise);
  }

  /// When something was last so that riders may be late because of it.
  Time may_delay_at{};
  Agenda agenda;
  Trace trace;
  Faults faults;
  /// For what is no fault: latencies, and who does what.
  loadtest::Random random;
  std::uint64_t last_id = 0;
  std::vector<std::string> violations;
  /// How often what was seen; see RunResult.
  std::map<std::string, std::uint64_t> seen;
};

}  // namespace ridestream::sim
