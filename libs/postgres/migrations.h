#pragma once

#include <span>
#include <string_view>

#include "absl/status/status.h"
#include "libs/postgres/connection.h"

namespace ridestream::postgres {

/// Brings the schema up to date. `migrations[i]` upgrades version i (stored in the single row of
/// `table`) to i + 1. All run in one transaction, under an advisory lock that excludes other
/// processes. Writes nothing, and needs no right to, if the schema is up to date.
/// FAILED_PRECONDITION, with nothing changed, if the schema's version is greater than the number of
/// migrations.
absl::Status Migrate(Connection& connection, std::string_view table,
                     std::span<const std::string_view> migrations, Deadline deadline);

}  // namespace ridestream::postgres
