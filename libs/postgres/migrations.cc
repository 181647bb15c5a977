#include "libs/postgres/migrations.h"

#include <fmt/format.h>

#include <string>

namespace ridestream::postgres {
namespace {

/// An arbitrary constant. All processes that migrate take this lock.
constexpr std::int64_t kMigrationLock = 0x72696465'6d696772;  // "ridemigr"

/// Returns 0 if the table doesn't exist yet.
absl::StatusOr<std::int64_t> ReadVersion(Connection& connection, std::string_view table,
                                         Deadline deadline) {
  connection.SendSql("SELECT to_regclass($1) IS NOT NULL", {table});
  absl::StatusOr<std::vector<Result>> exists = connection.Sync(deadline);
  if (!exists.ok()) return exists.status();
  if (!exists->front().Bool(0, 0)) return 0;
  connection.SendSql(fmt::format("SELECT max(version) FROM {}", table));
  const absl::StatusOr<std::vector<Result>> version = connection.Sync(deadline);
  if (!version.ok()) return version.status();
  return version->front().IsNull(0, 0) ? 0 : version->front().Int64(0, 0);
}

absl::Status CheckVersion(std::int64_t found, std::int64_t known) {
  if (found >= 0 && found <= known) return absl::OkStatus();
  return absl::FailedPreconditionError(
      fmt::format("the database is of schema version {}, and this program knows versions up to {}: "
                  "run the newer program that wrote it",
                  found, known));
}

absl::Status MigrateLocked(Connection& connection, std::string_view table,
                           std::span<const std::string_view> migrations, Deadline deadline) {
  const auto known = static_cast<std::int64_t>(migrations.size());
  absl::Status status =
      connection.Execute(fmt::format("SELECT pg_advisory_xact_lock({})", kMigrationLock), deadline);
  if (!status.ok()) return status;
  // Another process may have migrated while this one waited. This statement makes PostgreSQL drop
  // its cached knowledge that the table doesn't exist.
  status = connection.Execute(
      fmt::format("CREATE TABLE IF NOT EXISTS {} (version integer NOT NULL)", table), deadline);
  if (!status.ok()) return status;
  const absl::StatusOr<std::int64_t> found = ReadVersion(connection, table, deadline);
  if (!found.ok()) return found.status();
  if (status = CheckVersion(*found, known); !status.ok()) return status;
  for (std::int64_t version = *found; status.ok() && version < known; ++version) {
    status =
        connection.Execute(std::string(migrations[static_cast<std::size_t>(version)]), deadline);
  }
  if (!status.ok()) return status;
  return connection.Execute(
      fmt::format("DELETE FROM {0}; INSERT INTO {0} VALUES ({1})", table, known), deadline);
}

}  // namespace

absl::Status Migrate(Connection& connection, std::string_view table,
                     std::span<const std::string_view> migrations, Deadline deadline) {
  const auto known = static_cast<std::int64_t>(migrations.size());
  const absl::StatusOr<std::int64_t> found = ReadVersion(connection, table, deadline);
  if (!found.ok()) return found.status();
  if (absl::Status status = CheckVersion(*found, known); !status.ok()) return status;
  if (*found == known) return absl::OkStatus();
  absl::Status status = connection.Execute("BEGIN", deadline);
  if (status.ok()) status = MigrateLocked(connection, table, migrations, deadline);
  if (status.ok()) return connection.Execute("COMMIT", deadline);
  (void)connection.Execute("ROLLBACK", deadline);  // The first error is the one to report.
  return status;
}

}  // namespace ridestream::postgres
