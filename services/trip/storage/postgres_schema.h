#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace ridestream::trip {

/// The schema of trips in PostgreSQL, for postgres::Migrate. schema.h has the one for SQLite.
std::span<const std::string_view> PostgresMigrations();
/// The table that holds the schema's version.
inline constexpr std::string_view kPostgresVersionTable = "ridestream_trip_schema";
/// The channel on which a transaction announces the last sequence that it wrote.
inline constexpr std::string_view kPostgresLogChannel = "ridestream_trip_log";

/// The advisory lock that a writer of the log takes before it reads and holds until its commit.
inline constexpr std::int64_t kPostgresLogLock = 0x72696465'74726970;  // "ridetrip"

}  // namespace ridestream::trip
