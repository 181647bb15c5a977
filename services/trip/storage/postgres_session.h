#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "libs/postgres/connection.h"

namespace ridestream::trip {

/// The server cancels a statement at its deadline. A connection without an answer for this long
/// after the deadline is closed.
inline constexpr std::chrono::milliseconds kPostgresGrace{500};

/// The status for a database that was reachable before and isn't now, whatever the server's reason:
/// UNAVAILABLE, or DEADLINE_EXCEEDED if the time is up.
absl::Status Outage(const absl::Status& status);

/// Returns the status for callers of the service, without the server's address and role, which
/// follow "can't connect to PostgreSQL". The log has them.
absl::Status ForCallers(const absl::Status& status);

/// Opens a connection with the settings that the store's statements rely on. For writing, also
/// UNAVAILABLE if the server is a standby or read-only, since another server takes its place after
/// a failover.
absl::StatusOr<std::unique_ptr<postgres::Connection>> OpenPostgresSession(
    const std::string& url, std::span<const postgres::Statement> statements, bool for_writing,
    postgres::Deadline deadline);

}  // namespace ridestream::trip
