#include "services/trip/streets/streets_router.h"

#include <fmt/format.h>

#include <cmath>
#include <string>

namespace ridestream::trip {
namespace {

/// A place that isn't near a street is the caller's mistake, and the caller is told which place.
absl::Status CheckNearStreet(const roads::Streets& streets, LatLng place, const char* field) {
  absl::Status status = streets.snapper().Snap(place, roads::StreetUse::kStop).status();
  if (status.code() != absl::StatusCode::kNotFound) return status;
  return absl::InvalidArgumentError(fmt::format("{}: {}", field, std::string(status.message())));
}

}  // namespace

absl::StatusOr<Way> StreetsRouter::FindWay(LatLng pickup, LatLng dropoff) const {
  if (absl::Status status = CheckNearStreet(*streets_, pickup, "pickup"); !status.ok()) {
    return status;
  }
  if (absl::Status status = CheckNearStreet(*streets_, dropoff, "dropoff"); !status.ok()) {
    return status;
  }
  const absl::StatusOr<roads::Route> route = streets_->router().FindRoute(pickup, dropoff);
  if (route.status().code() == absl::StatusCode::kNotFound) {
    return absl::FailedPreconditionError(std::string(route.status().message()));
  }
  if (!route.ok()) return route.status();
  return Way{static_cast<std::uint32_t>(std::lround(route->length_m)),
             std::chrono::round<std::chrono::milliseconds>(route->duration)};
}

}  // namespace ridestream::trip
