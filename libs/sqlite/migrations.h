#pragma once

#include <span>
#include <string_view>

#include "absl/status/status.h"
#include "libs/sqlite/database.h"

namespace ridestream::sqlite {

/// Brings the schema up to date. `migrations[i]` upgrades version i (SQLite's `user_version`) to i
/// + 1, each in its own transaction. FAILED_PRECONDITION, with nothing changed, if the file's
/// version is greater than the number of migrations.
absl::Status Migrate(Database& database, std::span<const std::string_view> migrations);

}  // namespace ridestream::sqlite
