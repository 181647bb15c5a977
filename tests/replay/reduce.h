#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/base/invariant.h"
#include "services/dispatch/record/record.pb.h"

namespace ridestream::replay {

/// Indexes of items in a sequence, ascending.
using Subset = std::vector<std::size_t>;

/// A minimal subset of `count` items for which `fails` holds: it does not hold if any single item
/// is removed. The algorithm is delta debugging, ddmin, with complements only (A. Zeller, R.
/// Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", 2002). Calls `fails` at most
/// `max_calls` times, and then returns the shortest subset so far.
Subset Minimize(std::size_t count, const std::function<bool(const Subset&)>& fails,
                std::uint64_t max_calls);

struct Reduction {
  /// The invariant that the whole record breaks first.
  BrokenInvariant broken{};
  /// The shortest sequence found that also breaks it.
  std::vector<dispatch::record::Entry> entries;
  std::uint64_t replays = 0;
};

/// Reduces entries to a short sequence that breaks the same invariant. nullopt if no invariant is
/// broken. INVALID_ARGUMENT if an entry or the settings can't be replayed. An InvariantWatch must
/// exist.
absl::StatusOr<std::optional<Reduction>> Reduce(const dispatch::record::Header& header,
                                                const std::vector<dispatch::record::Entry>& entries,
                                                std::uint64_t max_replays);

}  // namespace ridestream::replay
