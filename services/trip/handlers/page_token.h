#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "services/trip/domain/trip_store.h"

namespace ridestream::trip {

/// Where a list goes on, for the caller to hand back: opaque, and good for the same list alone.
std::string MakePageToken(const TripFilter& filter, std::uint64_t before);

/// INVALID_ARGUMENT for a token that isn't of this list.
absl::StatusOr<std::uint64_t> ParsePageToken(const TripFilter& filter, const std::string& token);

}  // namespace ridestream::trip
