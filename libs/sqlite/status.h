#pragma once

#include <string>

#include "absl/status/status.h"

struct sqlite3;

namespace ridestream::sqlite {

/// What an (extended) result code of SQLite means outside of it:
///   a constraint     UNIQUE or PRIMARY KEY: ALREADY_EXISTS; any other: FAILED_PRECONDITION
///   a damaged file   DATA_LOSS
///   no rights        PERMISSION_DENIED
///   the disk         UNAVAILABLE: full, I/O error, locked by another for too long
///   anything else    INTERNAL
/// The message is "<doing>: <SQLite's own words>". `db` may be null.
absl::Status ToStatus(sqlite3* db, int code, const std::string& doing);

}  // namespace ridestream::sqlite
