#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "services/trip/domain/trip_store.h"

namespace ridestream::trip {

/// The position at which a list continues, which the caller sends back. Opaque, and valid for the
/// same list only.
std::string MakePageToken(const TripFilter& filter, std::uint64_t before);

/// INVALID_ARGUMENT if the token belongs to another list.
absl::StatusOr<std::uint64_t> ParsePageToken(const TripFilter& filter, const std::string& token);

}  // namespace ridestream::trip
