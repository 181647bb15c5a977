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

/// State that all parts of one run share. Not thread-safe.
struct Context {
  Context(std::uint64_t seed, bool print) : trace(agenda, print), faults(seed), random(seed, 2) {}
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  /// "t-17": an id that is unique over all lives of all processes.
  std::string NextId(char kind) { return fmt::format("{}-{}", kind, ++last_id); }
  /// Reports a violation.
  void Violated(std::string what) {
    trace.Line("VIOLATION: {}", what);
    violations.push_back(std::move(what));
  }
  void Expect(bool condition, const std::string& otherwise) {
    if (!condition) Violated(otherwise);
  }

  /// The last time of an event that may delay riders.
  Time may_delay_at{};
  Agenda agenda;
  Trace trace;
  Faults faults;
  /// For choices that are not faults, such as latencies.
  loadtest::Random random;
  std::uint64_t last_id = 0;
  std::vector<std::string> violations;
  /// How often each kind of event was seen; see RunResult.
  std::map<std::string, std::uint64_t> seen;
};

}  // namespace ridestream::sim
