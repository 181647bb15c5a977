#include "tests/chaos/recovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <fstream>

#include "absl/status/status.h"

namespace ridestream::chaos {
namespace {

// Overlapping faults are one outage, which ends with the last of them.
WallTime EndOfOutage(const Occurrence& occurrence, const std::vector<Occurrence>& all) {
  WallTime end = occurrence.ended;
  for (bool longer = true; longer;) {
    longer = false;
    for (const Occurrence& other : all) {
      if (other.began > end || other.ended <= end) continue;
      end = other.ended;
      longer = true;
    }
  }
  return end;
}

}  // namespace

WallTime WallNow() {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

absl::StatusOr<std::vector<FirstOffer>> ReadOffers(const std::string& path) {
  std::ifstream file(path);
  if (!file) return absl::NotFoundError(fmt::format("{}: can't be read", path));
  std::string line;
  std::getline(file, line);  // The names of the columns.
  std::vector<FirstOffer> offers;
  for (int number = 2; std::getline(file, line); ++number) {
    long long due_us = 0, offered_us = 0;
    if (std::sscanf(line.c_str(), "%lld,%lld", &due_us, &offered_us) != 2) {
      return absl::InvalidArgumentError(
          fmt::format("{}:{}: '{}' is not due_us,offered_us", path, number, line));
    }
    offers.push_back({WallTime(std::chrono::microseconds(due_us)),
                      WallTime(std::chrono::microseconds(offered_us))});
  }
  return offers;
}

std::vector<std::optional<RecoveryTime>> Recoveries(const std::vector<Occurrence>& occurrences,
                                                    std::vector<FirstOffer> offers) {
  std::sort(offers.begin(), offers.end(),
            [](const FirstOffer& a, const FirstOffer& b) { return a.offered < b.offered; });
  std::vector<std::optional<RecoveryTime>> recoveries;
  for (const Occurrence& occurrence : occurrences) {
    const WallTime over = EndOfOutage(occurrence, occurrences);
    const auto first = std::find_if(offers.begin(), offers.end(),
                                    [&](const FirstOffer& offer) { return offer.due >= over; });
    recoveries.push_back(first == offers.end() ? std::nullopt
                                               : std::optional(first->offered - over));
  }
  return recoveries;
}

void PrintRecoveries(const char* faults, std::vector<RecoveryTime> recoveries) {
  if (recoveries.empty()) return;
  std::sort(recoveries.begin(), recoveries.end());
  std::printf("recovery: %zu %s, p50 %.2f s, max %.2f s\n", recoveries.size(), faults,
              recoveries[(recoveries.size() - 1) / 2].count(), recoveries.back().count());
}

absl::Status CheckRecoveries(const std::vector<RecoveryTime>& recoveries, RecoveryTime longest) {
  if (recoveries.empty()) return absl::InternalError("nothing was killed");
  const RecoveryTime max = *std::max_element(recoveries.begin(), recoveries.end());
  if (max <= longest) return absl::OkStatus();
  return absl::DeadlineExceededError(
      fmt::format("recovery took {:.2f} s, more than --max_recovery", max.count()));
}

}  // namespace ridestream::chaos
