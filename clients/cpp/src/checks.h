#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "ridestream/common/v1/common.pb.h"

namespace ridestream::client {

// The service's limits (docs/driver_client.md), checked before anything is sent. Errors are
// INVALID_ARGUMENT in the service's words, of the kind kBeforeTheWire.

inline constexpr std::size_t kMaxName = 64;  // Characters, as the next two.
inline constexpr std::size_t kMaxPlate = 16;
inline constexpr std::size_t kMaxText = 256;
inline constexpr std::int64_t kMaxSeats = 8;

absl::Status Invalid(const std::string& message);
absl::Status CheckId(const std::string& id, const std::string& field);
/// UTF-8 without control characters, of at most `limit` characters.
absl::Status CheckText(const std::string& text, std::size_t limit, const std::string& field);
absl::Status CheckRange(std::int64_t value, std::int64_t low, std::int64_t high,
                        const std::string& field);
absl::Status CheckPlace(const common::v1::LatLng& place, const std::string& field);

/// The first error of several, or OK.
template <typename... Statuses>
absl::Status FirstOf(Statuses... statuses) {
  absl::Status first;
  (first.Update(statuses), ...);
  return first;
}

}  // namespace ridestream::client
