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

/// A subset of `count` items for which `fails` holds as it does for all of them, and for which it
/// holds no longer when any single item is left out: the delta debugging algorithm ddmin, in the
/// form that tries complements only (A. Zeller, R. Hildebrandt, "Simplifying and Isolating
/// Failure-Inducing Input", 2002). Calls `fails` at most `max_calls` times, and then returns the
/// shortest subset so far.
Subset Minimize(std::size_t count, const std::function<bool(const Subset&)>& fails,
                std::uint64_t max_calls);

struct Reduction {
  /// The invariant that the whole record breaks first.
  BrokenInvariant broken{};
  /// The shortest sequence found that breaks it too.
  std::vector<dispatch::record::Entry> entries;
  std::uint64_t replays = 0;
};

/// Reduces entries to a short sequence that breaks the same invariant. nullopt if no invariant is
/// broken. INVALID_ARGUMENT if an entry or the settings can't be replayed. An InvariantWatch must
/// live.
absl::StatusOr<std::optional<Reduction>> Reduce(const dispatch::record::Header& header,
                                                const std::vector<dispatch::record::Entry>& entries,
                                                std::uint64_t max_replays);

}  // namespace ridestream::replay
