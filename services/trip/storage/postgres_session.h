#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "libs/postgres/connection.h"

namespace ridestream::trip {

/// The server stops a statement at its deadline; a connection over which no answer has come so long
/// after it is given up.
inline constexpr std::chrono::milliseconds kPostgresGrace{500};

/// What to tell of a database that was there before and can't be reached now, whatever the server
/// says why: UNAVAILABLE, unless the time is up.
absl::Status Outage(const absl::Status& status);

/// A status for callers of the service, without the server's address and its role, which follow
/// "can't connect to PostgreSQL". The log keeps them.
absl::Status ForCallers(const absl::Status& status);

/// Opens a connection with the settings that the store's statements rely on. For writing,
/// UNAVAILABLE too when the server is a standby or read-only: after a failover another one takes
/// its place.
absl::StatusOr<std::unique_ptr<postgres::Connection>> OpenPostgresSession(
    const std::string& url, std::span<const postgres::Statement> statements, bool for_writing,
    postgres::Deadline deadline);

}  // namespace ridestream::trip
