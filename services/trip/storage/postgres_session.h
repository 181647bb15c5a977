#pragma once

#include <memory>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "libs/postgres/connection.h"

namespace ridestream::trip {

/// Opens a connection with the settings that the store's statements rely on. For writing,
/// UNAVAILABLE too when the server is a standby or read-only: after a failover another one takes
/// its place.
absl::StatusOr<std::unique_ptr<postgres::Connection>> OpenPostgresSession(
    const std::string& url, std::span<const postgres::Statement> statements, bool for_writing,
    postgres::Deadline deadline);

}  // namespace ridestream::trip
