#include "libs/sqlite/migrations.h"

#include <fmt/format.h>

#include <string>

#include "libs/sqlite/transaction.h"

namespace ridestream::sqlite {
namespace {

absl::StatusOr<std::int64_t> ReadVersion(Database& database) {
  absl::StatusOr<Statement> statement = database.Prepare("PRAGMA user_version");
  if (!statement.ok()) return statement.status();
  absl::StatusOr<Rows> rows = statement->Query();
  if (!rows.ok()) return rows.status();
  const absl::StatusOr<bool> row = rows->Next();
  if (!row.ok()) return row.status();
  return *row ? rows->Int64(0) : 0;
}

}  // namespace

absl::Status Migrate(Database& database, std::span<const std::string_view> migrations) {
  const absl::StatusOr<std::int64_t> found = ReadVersion(database);
  if (!found.ok()) return found.status();
  const auto known = static_cast<std::int64_t>(migrations.size());
  if (*found < 0 || *found > known) {
    return absl::FailedPreconditionError(fmt::format(
        "{} is of schema version {}, and this program knows versions up to {}: run the newer "
        "program that wrote it",
        database.path(), *found, known));
  }
  for (std::int64_t version = *found; version < known; ++version) {
    absl::StatusOr<Transaction> transaction = Transaction::Begin(database);
    if (!transaction.ok()) return transaction.status();
    absl::Status status = database.Execute(fmt::format(
        "{}; PRAGMA user_version = {}", migrations[static_cast<size_t>(version)], version + 1));
    if (!status.ok()) return status;
    if (absl::Status committed = transaction->Commit(); !committed.ok()) return committed;
  }
  return absl::OkStatus();
}

}  // namespace ridestream::sqlite
