#include "libs/sqlite/statement.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include "libs/sqlite/status.h"

namespace ridestream::sqlite {
namespace {

absl::Status StatusOf(sqlite3_stmt* statement, int code) {
  if (code == SQLITE_OK) return absl::OkStatus();
  sqlite3* db = sqlite3_db_handle(statement);
  const char* path = sqlite3_db_filename(db, "main");
  return ToStatus(db, code, path == nullptr ? "SQLite" : path);
}

std::string_view View(const void* bytes, int size) {
  return bytes == nullptr
             ? std::string_view()
             : std::string_view(static_cast<const char*>(bytes), static_cast<size_t>(size));
}

}  // namespace

Rows::~Rows() {
  if (statement_ != nullptr) sqlite3_reset(statement_);  // Returns the error of Next() again.
}

absl::StatusOr<bool> Rows::Next() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return StatusOf(statement_, code);
}

std::int64_t Rows::Int64(int column) const { return sqlite3_column_int64(statement_, column); }

std::string_view Rows::Text(int column) const {
  const unsigned char* text = sqlite3_column_text(statement_, column);
  return View(text, sqlite3_column_bytes(statement_, column));
}

std::string_view Rows::Bytes(int column) const {
  const void* bytes = sqlite3_column_blob(statement_, column);
  return View(bytes, sqlite3_column_bytes(statement_, column));
}

bool Rows::IsNull(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

void Statement::Finalizer::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

absl::Status Statement::Finish(Rows& rows) {
  for (;;) {
    const absl::StatusOr<bool> row = rows.Next();
    if (!row.ok()) return row.status();
    if (!*row) return absl::OkStatus();
  }
}

absl::Status Statement::Bind(int index, std::int64_t value) {
  return StatusOf(statement_.get(), sqlite3_bind_int64(statement_.get(), index, value));
}

absl::Status Statement::Bind(int index, std::string_view text) {
  // A null pointer would bind NULL.
  const char* data = text.data() == nullptr ? "" : text.data();
  return StatusOf(statement_.get(), sqlite3_bind_text64(statement_.get(), index, data, text.size(),
                                                        SQLITE_STATIC, SQLITE_UTF8));
}

absl::Status Statement::Bind(int index, std::nullptr_t) {
  return StatusOf(statement_.get(), sqlite3_bind_null(statement_.get(), index));
}

absl::Status Statement::Bind(int index, Blob blob) {
  const char* data = blob.bytes.data() == nullptr ? "" : blob.bytes.data();
  return StatusOf(statement_.get(), sqlite3_bind_blob64(statement_.get(), index, data,
                                                        blob.bytes.size(), SQLITE_STATIC));
}

}  // namespace ridestream::sqlite
