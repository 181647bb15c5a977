#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

struct sqlite3_stmt;

namespace ridestream::sqlite {

/// Bytes for a BLOB, as opposed to a string for TEXT.
struct Blob {
  std::string_view bytes;
};

/// The rows of a running query, one at a time. The statement can't be executed again while this
/// object exists.
class Rows {
 public:
  explicit Rows(sqlite3_stmt* statement) : statement_(statement) {}
  Rows(Rows&& other) noexcept : statement_(std::exchange(other.statement_, nullptr)) {}
  Rows& operator=(Rows&&) = delete;
  ~Rows();

  /// Advances to the next row (at first, to the first); returns false at the end.
  absl::StatusOr<bool> Next();

  /// Columns of the current row, from 0. Views are valid until Next().
  std::int64_t Int64(int column) const;
  std::uint64_t Uint64(int column) const { return static_cast<std::uint64_t>(Int64(column)); }
  std::string_view Text(int column) const;
  std::string_view Bytes(int column) const;
  bool IsNull(int column) const;

 private:
  sqlite3_stmt* statement_;
};

/// A compiled statement that can be executed many times. Arguments bind ?1, ?2, ... in order; texts
/// and bytes are not copied, so they must stay valid until the end of the execution. Same threading
/// as its Database.
class Statement {
 public:
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}

  /// Executes the statement to its end, for its effect.
  template <class... Arguments>
  absl::Status Run(const Arguments&... arguments) {
    absl::StatusOr<Rows> rows = Query(arguments...);
    if (!rows.ok()) return rows.status();
    return Finish(*rows);
  }

  /// Starts the statement; the caller fetches the rows one by one.
  template <class... Arguments>
  absl::StatusOr<Rows> Query(const Arguments&... arguments) {
    Rows rows(statement_.get());  // Its destructor resets the statement, also if binding fails.
    [[maybe_unused]] int index = 0;
    absl::Status status;
    ((status = status.ok() ? Bind(++index, arguments) : status), ...);
    if (!status.ok()) return status;
    return rows;
  }

 private:
  struct Finalizer {
    void operator()(sqlite3_stmt* statement) const;
  };

  static absl::Status Finish(Rows& rows);
  absl::Status Bind(int index, std::int64_t value);
  absl::Status Bind(int index, std::string_view text);
  absl::Status Bind(int index, std::nullptr_t);
  absl::Status Bind(int index, Blob blob);
  template <std::integral Integer>
  absl::Status Bind(int index, Integer value) {
    return Bind(index, static_cast<std::int64_t>(value));
  }

  std::unique_ptr<sqlite3_stmt, Finalizer> statement_;
};

}  // namespace ridestream::sqlite
