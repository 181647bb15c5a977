#pragma once

// Helpers for the tests of the index.

#include <algorithm>
#include <string>
#include <vector>

#include "services/location/domain/market_index.h"

namespace ridestream::location::testing {

inline constexpr Time kStart = ScaledClock::kAnchor;
inline const LatLng kHere = LatLng::FromDegrees(40.7, -74);

/// An idle driver with four free seats, at `place`, received just now.
inline PositionReport ReportOf(std::string_view driver_id, LatLng place,
                               std::uint64_t sequence = 1) {
  return {.driver_id = driver_id,
          .session_epoch = 1,
          .sequence = sequence,
          .place = place,
          .heading_deg = 0,
          .state = DriverState::kIdle,
          .free_seats = 4};
}

inline std::vector<std::string> IdsOf(const NearbyDrivers& drivers) {
  std::vector<std::string> ids;
  for (const NearbyDriver& driver : drivers) ids.push_back(driver.id.str());
  return ids;
}

inline std::vector<std::string> SortedIdsOf(const NearbyDrivers& drivers) {
  std::vector<std::string> ids = IdsOf(drivers);
  std::sort(ids.begin(), ids.end());
  return ids;
}

inline std::vector<std::string> IdsOf(const std::vector<DriverId>& drivers) {
  std::vector<std::string> ids;
  for (const DriverId& driver : drivers) ids.push_back(driver.str());
  return ids;
}

}  // namespace ridestream::location::testing
