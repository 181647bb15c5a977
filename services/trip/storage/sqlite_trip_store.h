#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "libs/base/clock.h"
#include "libs/base/worker.h"
#include "libs/sqlite/database.h"
#include "services/trip/domain/trip_store.h"
#include "services/trip/storage/command_writer.h"
#include "services/trip/storage/local_publisher.h"
#include "services/trip/storage/sqlite_ledger.h"
#include "services/trip/storage/sqlite_reader.h"

namespace ridestream::trip {

/// Trips in a SQLite file. A CommandWriter with its own thread commits batches of commands, each in
/// one transaction with one sync to disk. Readers have their own connections and never wait for the
/// writer.
class SqliteTripStore final : public TripStore, private BatchCommitter {
 public:
  struct Options {
    std::string path;
    /// Must outlive the store.
    const Clock& clock;
    /// See TripStore::Listener; called on the writer's thread.
    Listener listener = nullptr;
    /// Called on the writer's thread after each transaction with its number of commands and the
    /// time from BEGIN until it was durable.
    std::function<void(size_t commands, std::chrono::nanoseconds took)> on_commit = nullptr;
    /// Called on the writer's thread with the number of commands when a whole batch failed.
    std::function<void(const absl::Status&, size_t commands)> on_failure = nullptr;
    /// Maximum number of connections for reading.
    size_t readers = 4;
    size_t max_queue = kMaxQueue;
    size_t max_batch = CommandWriter::kMaxBatch;
    std::string vfs = {};  ///< See sqlite::OpenOptions.
  };

  /// Opens the file or makes it. FAILED_PRECONDITION for one of a newer version or of another rate
  /// of the clock; else the codes of sqlite::Database::Open.
  static absl::StatusOr<std::unique_ptr<SqliteTripStore>> Open(Options options);
  /// Carries out waiting commands, then closes. No calls may be in progress.
  ~SqliteTripStore() override;

  void Submit(Command command, TripDone done, Deadline deadline = kNoDeadline) override;
  void SaveQuote(Quote quote, QuoteDone done, Deadline deadline = kNoDeadline) override;
  void ChangeLease(LeaseCommand command, LeaseDone done, Deadline deadline = kNoDeadline) override;
  absl::StatusOr<v1::Trip> GetTrip(const TripId& id,
                                   Deadline deadline = kNoDeadline) const override;
  absl::StatusOr<TripPage> ListTrips(const TripFilter& filter, std::uint64_t before, size_t limit,
                                     Deadline deadline = kNoDeadline) const override;
  absl::StatusOr<LogPage> ReadLog(std::uint64_t after, const std::vector<std::string>& markets,
                                  size_t limit) const override;
  absl::StatusOr<std::optional<std::uint64_t>> OldestOpen(
      const std::vector<std::string>& markets) const override;
  std::uint64_t LastSequence() const override { return publisher_.last_sequence(); }
  size_t waiting() const override { return writer_.waiting(); }
  /// Size of the write-ahead log's file in bytes.
  std::uint64_t wal_bytes() const { return database_->WalBytes(); }

 private:
  SqliteTripStore(Options options, std::unique_ptr<sqlite::Database> database,
                  std::unique_ptr<SqliteLedger> ledger, std::uint64_t last_sequence);

  /// Runs on the writer's thread.
  void Commit(Batch batch, Done done) override;
  absl::Status CarryOut(Batch& batch, bool& refused);
  absl::Status CarryOut(Work& work);

  const Options options_;
  // Both are used by the writer's thread only.
  const std::unique_ptr<sqlite::Database> database_;
  const std::unique_ptr<SqliteLedger> ledger_;
  mutable SqliteReaderPool readers_;
  LocalPublisher publisher_;
  ThreadExecutor executor_;
  CommandWriter writer_;  // Last: its thread uses all above.
};

}  // namespace ridestream::trip
