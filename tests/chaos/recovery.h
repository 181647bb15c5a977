#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tests/chaos/schedule.h"

namespace ridestream::chaos {

/// The wall clock, which all processes of a machine share.
using WallTime = std::chrono::sys_time<std::chrono::microseconds>;

WallTime WallNow();

/// How long something took to heal.
using RecoveryTime = std::chrono::duration<double>;

/// When a request was due, and when its first offer was in a driver's hand.
struct FirstOffer {
  WallTime due, offered;
};

/// An event as it came to pass. What happens in an instant begins and ends with it: a kill when the
/// process dies, a restart when it is asked to go.
struct Occurrence {
  Event event;
  WallTime began, ended;
};

/// Reads what the load generator wrote to --offers. INVALID_ARGUMENT names the line.
absl::StatusOr<std::vector<FirstOffer>> ReadOffers(const std::string& path);

/// For each occurrence, how long it took until offers flowed again: from when it was over, and
/// nothing else was on that had begun before, to the first offer for a request that came due after
/// that. So all of the way was walked again: rider, trip, dispatch, location, driver. nullopt:
/// never.
std::vector<std::optional<RecoveryTime>> Recoveries(const std::vector<Occurrence>& occurrences,
                                                    std::vector<FirstOffer> offers);

/// Prints how many there are, their p50 and the longest; `faults`: what was recovered from.
void PrintRecoveries(const char* faults, std::vector<RecoveryTime> recoveries);
/// DEADLINE_EXCEEDED when one is longer than `longest`, INTERNAL when there is none.
absl::Status CheckRecoveries(const std::vector<RecoveryTime>& recoveries, RecoveryTime longest);

}  // namespace ridestream::chaos
