#include "services/trip/domain/names.h"

#include <fmt/format.h>

#include <string_view>

namespace ridestream::trip {

std::string StateName(v1::TripState state) {
  constexpr std::string_view kPrefix = "TRIP_STATE_";
  const std::string& name = v1::TripState_Name(state);
  return name.starts_with(kPrefix) ? name.substr(kPrefix.size()) : fmt::format("state {}", state);
}

bool IsOpen(v1::TripState state) {
  return state >= v1::TRIP_STATE_REQUESTED && state <= v1::TRIP_STATE_ABOARD;
}

}  // namespace ridestream::trip
