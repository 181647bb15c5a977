#include "tests/chaos/recovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <fstream>

#include "absl/status/status.h"

namespace ridestream::chaos {
namespace {

// Faults that overlap are one outage: it is over when the last of them is.
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
          fmt::format("{}:{}: '{}' is no due_us,offered_us", path, number, line));
    }
    offers.push_back({WallTime(std::chrono::microseconds(due_us)),
                      WallTime(std::chrono::microseconds(offered_us))});
  }
  return offers;
}

std::vector<std::optional<std::chrono::duration<double>>> Recoveries(
    const std::vector<Occurrence>& occurrences, std::vector<FirstOffer> offers) {
  std::sort(offers.begin(), offers.end(),
            [](const FirstOffer& a, const FirstOffer& b) { return a.offered < b.offered; });
  std::vector<std::optional<std::chrono::duration<double>>> recoveries;
  for (const Occurrence& occurrence : occurrences) {
    const WallTime over = EndOfOutage(occurrence, occurrences);
    const auto first = std::find_if(offers.begin(), offers.end(),
                                    [&](const FirstOffer& offer) { return offer.due >= over; });
    recoveries.push_back(first == offers.end() ? std::nullopt
                                               : std::optional(first->offered - over));
  }
  return recoveries;
}

}  // namespace ridestream::chaos
