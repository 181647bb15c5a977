#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tests/chaos/schedule.h"

namespace ridestream::chaos {

/// Wall-clock time, which all processes of a machine share.
using WallTime = std::chrono::sys_time<std::chrono::microseconds>;

WallTime WallNow();

/// How long a recovery took.
using RecoveryTime = std::chrono::duration<double>;

/// When a request was due, and when its first offer reached a driver.
struct FirstOffer {
  WallTime due, offered;
};

/// An event that was carried out. An instantaneous event begins and ends at the same time: a kill
/// when the process dies, a restart when the process is asked to end.
struct Occurrence {
  Event event;
  WallTime began, ended;
};

/// Reads the file that the load generator wrote for --offers. INVALID_ARGUMENT, with the line, if
/// it is malformed.
absl::StatusOr<std::vector<FirstOffer>> ReadOffers(const std::string& path);

/// For each occurrence, how long it took until offers flowed again: from its end, and the end of
/// all occurrences that had begun before and overlap it, to the first offer for a request that came
/// due after that. By then the whole path works again: rider, trip, dispatch, location, driver.
/// nullopt: never.
std::vector<std::optional<RecoveryTime>> Recoveries(const std::vector<Occurrence>& occurrences,
                                                    std::vector<FirstOffer> offers);

/// Prints their number, their p50 and the longest; `faults` names the faults.
void PrintRecoveries(const char* faults, std::vector<RecoveryTime> recoveries);
/// DEADLINE_EXCEEDED if one is longer than `longest`, INTERNAL if there is none.
absl::Status CheckRecoveries(const std::vector<RecoveryTime>& recoveries, RecoveryTime longest);

}  // namespace ridestream::chaos
