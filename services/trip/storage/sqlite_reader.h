#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/mutex.h"
#include "libs/sqlite/database.h"
#include "services/trip/domain/trip_store.h"

namespace ridestream::trip {

/// The store's reads, on their own connection. Used by one thread at a time.
class SqliteReader {
 public:
  static absl::StatusOr<std::unique_ptr<SqliteReader>> Open(const std::string& path,
                                                            const sqlite::OpenOptions& options);

  ~SqliteReader();

  // See TripStore.
  absl::StatusOr<v1::Trip> GetTrip(const TripId& id);
  absl::StatusOr<TripPage> ListTrips(const TripFilter& filter, std::uint64_t before, size_t limit);
  absl::StatusOr<LogPage> ReadLog(std::uint64_t after, const std::vector<std::string>& markets,
                                  size_t limit);
  absl::StatusOr<std::optional<std::uint64_t>> OldestOpen(const std::vector<std::string>& markets);

 private:
  struct Statements;
  SqliteReader(sqlite::Database database, std::unique_ptr<Statements> statements);

  sqlite::Database database_;
  const std::unique_ptr<Statements> statements_;  // Goes before its database.
};

/// A pool of at most `max` readers, opened when needed. A caller waits if all are in use.
/// Thread-safe.
class SqliteReaderPool {
 public:
  SqliteReaderPool(std::string path, sqlite::OpenOptions options, size_t max)
      : path_(std::move(path)), options_(std::move(options)), max_(max) {}

  /// Runs `read(reader)`, which returns a StatusOr, with exclusive use of a reader.
  template <class Read>
  auto With(Read read) -> decltype(read(std::declval<SqliteReader&>())) {
    absl::StatusOr<std::unique_ptr<SqliteReader>> reader = Take();
    if (!reader.ok()) return reader.status();
    auto result = read(**reader);
    Return(*std::move(reader));
    return result;
  }

 private:
  absl::StatusOr<std::unique_ptr<SqliteReader>> Take();
  void Return(std::unique_ptr<SqliteReader> reader);

  const std::string path_;
  const sqlite::OpenOptions options_;
  const size_t max_;
  Mutex mu_;
  CondVar returned_;
  std::vector<std::unique_ptr<SqliteReader>> free_ ABSL_GUARDED_BY(mu_);
  size_t opened_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace ridestream::trip
