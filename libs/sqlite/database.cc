#include "libs/sqlite/database.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <utility>

#include "libs/sqlite/status.h"

namespace ridestream::sqlite {
namespace {

absl::Status Explain(const absl::Status& status) {
  if (status.code() != absl::StatusCode::kDataLoss) return status;
  return absl::DataLossError(
      fmt::format("{}; the file is damaged or not a SQLite database: restore it from a backup, or "
                  "move it away to start with an empty one",
                  std::string(status.message())));
}

/// Detects a truncated last page. SQLite notices missing whole pages, but reads a partial last page
/// as if the rest were zeros, which would corrupt rows. While there is a WAL, the page may be in
/// it, and a crash may then have cut the file.
absl::Status CheckEnd(const std::string& path) {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (error || size == 0) return absl::OkStatus();  // No file yet, or one that can't be examined.
  if (std::filesystem::file_size(path + "-wal", error) > 0 && !error) return absl::OkStatus();
  std::ifstream file(path, std::ios::binary);
  // Bytes 16 and 17 of the header: the page size, big-endian, where 1 stands for 65,536.
  std::array<unsigned char, 18> header{};
  if (!file.read(reinterpret_cast<char*>(header.data()), header.size())) return absl::OkStatus();
  const std::uintmax_t coded = header[16] * 256u + header[17];
  const std::uintmax_t page = coded == 1 ? 65'536 : coded;
  const bool is_header = page >= 512 && (page & (page - 1)) == 0;  // Otherwise it isn't a database.
  if (!is_header || size % page == 0) return absl::OkStatus();
  return absl::DataLossError(
      fmt::format("{} ends in the middle of a page of {} bytes", path, page));
}

}  // namespace

void Database::Closer::operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }

absl::StatusOr<Database> Database::Open(const std::string& path, const OpenOptions& options) {
  if (absl::Status status = CheckEnd(path); !status.ok()) return Explain(status);
  const int flags =
      SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
      (options.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &raw, flags,
                                   options.vfs.empty() ? nullptr : options.vfs.c_str());
  Database database(path, std::unique_ptr<sqlite3, Closer>(raw));
  if (code != SQLITE_OK) return ToStatus(raw, code, fmt::format("can't open {}", path));
  absl::Status status = database.Configure(options);
  if (!status.ok()) return Explain(status);
  return database;
}

absl::Status Database::Configure(const OpenOptions& options) {
  sqlite3_busy_timeout(handle_.get(), static_cast<int>(options.busy_timeout.count()));
  const std::string settings = fmt::format(
      "PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL; PRAGMA cache_size = -{}; "
      "PRAGMA journal_size_limit = {};",
      options.cache_kib, kMaxIdleWalBytes);
  if (absl::Status status = Execute(settings); !status.ok()) return status;
  if (options.read_only)
    return Execute("PRAGMA query_only = ON; SELECT count(*) FROM sqlite_master");

  absl::StatusOr<Statement> wal = Prepare("PRAGMA journal_mode = WAL");
  if (!wal.ok()) return wal.status();
  absl::StatusOr<Rows> rows = wal->Query();
  if (!rows.ok()) return rows.status();
  absl::StatusOr<bool> row = rows->Next();
  if (!row.ok()) return row.status();
  if (!*row || rows->Text(0) != "wal") {
    return absl::FailedPreconditionError(fmt::format(
        "{}: write-ahead logging isn't possible here; is it on a network file system?", path_));
  }
  return absl::OkStatus();
}

absl::Status Database::Execute(const std::string& sql) {
  const int code = sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  return ToStatus(handle_.get(), code, path_);
}

absl::StatusOr<Statement> Database::Prepare(const std::string& sql) {
  sqlite3_stmt* raw = nullptr;
  const int code = sqlite3_prepare_v3(handle_.get(), sql.c_str(), static_cast<int>(sql.size()) + 1,
                                      SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  if (code != SQLITE_OK) return ToStatus(handle_.get(), code, fmt::format("{}: '{}'", path_, sql));
  return Statement(raw);
}

std::uint64_t Database::WalBytes() const {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path_ + "-wal", error);
  return error ? 0 : size;
}

int Database::changes() const { return sqlite3_changes(handle_.get()); }
bool Database::in_transaction() const { return sqlite3_get_autocommit(handle_.get()) == 0; }

}  // namespace ridestream::sqlite
