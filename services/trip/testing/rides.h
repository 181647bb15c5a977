#pragma once

#include <fmt/format.h>

#include <map>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "libs/testing/status_matchers.h"
#include "services/trip/testing/store_calls.h"
#include "services/trip/testing/trip_samples.h"

namespace ridestream::trip::testing {

/// All commands of one ride from request to receipt, with its quote saved: five events.
inline std::vector<Command> RideCommands(TripStore& store, const Clock& clock, int number) {
  const std::string id = fmt::format("t{}", number);
  const std::string rider = fmt::format("r{}", number);
  const std::string driver = fmt::format("d{}", number);
  const Time expires = clock.Now() + std::chrono::minutes(5);
  EXPECT_THAT(Await(store, SampleQuote("q-" + id, rider, expires)), ridestream::testing::IsOk());
  return {SampleRequest(id, rider, "q-" + id), SampleAssign(id, driver, "o-" + id),
          SampleAdvance(id, driver, v1::TRIP_STATE_ARRIVED),
          SampleAdvance(id, driver, v1::TRIP_STATE_ABOARD),
          SampleAdvance(id, driver, v1::TRIP_STATE_COMPLETED)};
}

/// The version of each trip, by its log. An error of reading, or DATA_LOSS for a log with a hole or
/// in which a trip skips a version.
inline absl::StatusOr<std::map<std::string, std::uint64_t>> ReadAll(const TripStore& store) {
  std::map<std::string, std::uint64_t> versions;
  std::uint64_t last = 0;
  while (last < store.LastSequence()) {
    const auto page = store.ReadLog(last, {kMarket}, 64);
    if (!page.ok()) return page.status();
    for (const v1::TripEvent& event : page->events) {
      if (event.sequence() != ++last) return absl::DataLossError("the log has a gap");
      if (event.trip().version() != ++versions[event.trip().trip_id()]) {
        return absl::DataLossError("a trip skips a version");
      }
    }
    if (page->events.empty()) return absl::DataLossError("the log ends early");
  }
  return versions;
}

}  // namespace ridestream::trip::testing
