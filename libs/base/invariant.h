#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

#include "absl/base/optimization.h"

namespace ridestream {

/// Evaluates to `condition`, which is always true unless this program has a bug. `name` states the
/// invariant as a sentence. Checked in release builds too. Not for input from outside, which is
/// answered with a status.
///
/// A broken invariant ends the process, as in tests and in the simulation, unless a handler was
/// set, as in services. There it is counted and logged, the expression is false, and the caller
/// skips the work that it can't do:
///
///   OpenTrip* open = trips.Find(id);
///   if (!RIDESTREAM_INVARIANT(open != nullptr, "a trip that is offered is open")) return;
#define RIDESTREAM_INVARIANT(condition, name)                                              \
  (ABSL_PREDICT_TRUE(condition) || [] {                                                    \
    static constinit ::ridestream::internal::InvariantSite site{name, __FILE__, __LINE__}; \
    return site.Broken();                                                                  \
  }())

/// An invariant that was found broken, at one place in the source.
struct BrokenInvariant {
  std::string_view name;
  std::string_view file;
  int line;
  /// How often the invariant was broken at this place, including this time.
  std::uint64_t times;
};

/// Called for each broken invariant on the thread that found it; possibly by several threads at
/// once.
using InvariantHandler = void (*)(const BrokenInvariant&);

/// Sets the handler. Without a handler, or after setting null, a broken invariant ends the process.
/// Thread-safe.
void SetInvariantHandler(InvariantHandler handler);

/// Broken invariants so far, of the whole process.
std::uint64_t BrokenInvariants();

namespace internal {

class InvariantSite {
 public:
  constexpr InvariantSite(std::string_view name, std::string_view file, int line)
      : name_(name), file_(file), line_(line) {}
  /// Returns false.
  bool Broken();

 private:
  const std::string_view name_;
  const std::string_view file_;
  const int line_;
  std::atomic<std::uint64_t> times_ = 0;
};

}  // namespace internal
}  // namespace ridestream
