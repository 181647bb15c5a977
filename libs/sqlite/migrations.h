#pragma once

#include <span>
#include <string_view>

#include "absl/status/status.h"
#include "libs/sqlite/database.h"

namespace ridestream::sqlite {

/// Brings the schema up to date: `migrations[i]` takes version i (SQLite's `user_version`) to i +
/// 1, each in a transaction of its own. FAILED_PRECONDITION, with nothing changed, when the file is
/// of a newer version than there are migrations.
absl::Status Migrate(Database& database, std::span<const std::string_view> migrations);

}  // namespace ridestream::sqlite
