#include "libs/sqlite/status.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cerrno>
#include <cstring>

namespace ridestream::sqlite {
namespace {

absl::StatusCode CodeOf(int extended) {
  switch (extended) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
      return absl::StatusCode::kAlreadyExists;
    default:
      break;
  }
  switch (extended & 0xff) {
    case SQLITE_OK:
      return absl::StatusCode::kOk;
    case SQLITE_CONSTRAINT:
      return absl::StatusCode::kFailedPrecondition;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::StatusCode::kDataLoss;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
      return absl::StatusCode::kPermissionDenied;
    case SQLITE_CANTOPEN:
      return absl::StatusCode::kNotFound;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_FULL:
    case SQLITE_IOERR:
      return absl::StatusCode::kUnavailable;
    default:
      return absl::StatusCode::kInternal;
  }
}

}  // namespace

absl::Status ToStatus(sqlite3* db, int code, const std::string& doing) {
  if ((code & 0xff) == SQLITE_OK) return absl::OkStatus();
  // The connection's message is about its latest call, which may have been a different one.
  const bool is_last = db != nullptr && (sqlite3_extended_errcode(db) & 0xff) == (code & 0xff);
  std::string text =
      fmt::format("{}: {}", doing, is_last ? sqlite3_errmsg(db) : sqlite3_errstr(code));
  if (is_last && (code & 0xff) == SQLITE_IOERR) text += fmt::format(" (SQLite code {})", code);
  const int system_error = is_last ? sqlite3_system_errno(db) : 0;
  absl::StatusCode status_code = CodeOf(code);
  if ((code & 0xff) == SQLITE_CANTOPEN && system_error != 0) {
    text += fmt::format(" ({})", std::strerror(system_error));
    if (system_error == EACCES || system_error == EPERM || system_error == EROFS) {
      status_code = absl::StatusCode::kPermissionDenied;
    }
  }
  return absl::Status(status_code, text);
}

}  // namespace ridestream::sqlite
