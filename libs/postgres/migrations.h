#pragma once

#include <span>
#include <string_view>

#include "absl/status/status.h"
#include "libs/postgres/connection.h"

namespace ridestream::postgres {

/// Brings the schema up to date: `migrations[i]` takes version i (of the table `table`, one row) to
/// i + 1, all in one transaction, under an advisory lock that keeps other processes out. Writes
/// nothing, and needs no right to, when the schema is up to date. FAILED_PRECONDITION, with nothing
/// changed, when it is of a newer version than there are migrations.
absl::Status Migrate(Connection& connection, std::string_view table,
                     std::span<const std::string_view> migrations, Deadline deadline);

}  // namespace ridestream::postgres
