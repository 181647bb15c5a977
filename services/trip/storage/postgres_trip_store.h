#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "libs/base/clock.h"
#include "libs/base/mutex.h"
#include "libs/base/worker.h"
#include "libs/postgres/connection.h"
#include "services/trip/domain/trip_store.h"
#include "services/trip/storage/command_writer.h"
#include "services/trip/storage/postgres_ledger.h"
#include "services/trip/storage/postgres_publisher.h"
#include "services/trip/storage/postgres_reader.h"

namespace ridestream::trip {

/// Trips in a PostgreSQL database, which several processes may share: each answers any call, and
/// publishes the writes of all of them. A CommandWriter with its own thread commits batches of
/// commands, each in one transaction of two round trips (PostgresLedger), while the publisher's
/// thread answers earlier ones. A transaction whose connection is lost is retried for a bounded
/// time. If it was lost during COMMIT, the outcome is first read from the database.
class PostgresTripStore final : public TripStore, private BatchCommitter {
 public:
  struct Options {
    /// See postgres::Connection::Open.
    std::string url;
    /// Must outlive the store.
    const Clock& clock;
    /// See TripStore::Listener.
    Listener listener = nullptr;
    /// Called with the events of this process's commands, before they are answered.
    Listener on_written = nullptr;
    /// Called after each transaction with its number of commands and the time until it was durable.
    std::function<void(size_t commands, std::chrono::nanoseconds took)> on_commit = nullptr;
    /// Called with the number of commands when a whole batch failed, or with 0 when the log can't
    /// be followed for a while.
    std::function<void(const absl::Status&, size_t commands)> on_failure = nullptr;
    /// Maximum number of connections for reading.
    size_t readers = 4;
    size_t max_queue = kMaxQueue;
    size_t max_batch = CommandWriter::kMaxBatch;
    /// How long Open waits for a database that doesn't answer, and how long a transaction is
    /// retried.
    std::chrono::milliseconds open_for{10'000};
    std::chrono::milliseconds write_for{5'000};
  };

  /// Connects and brings the schema up to date. FAILED_PRECONDITION for a database of a newer
  /// version or of another rate of the clock, or a server that refuses the connection;
  /// PERMISSION_DENIED for a role without the rights; UNAVAILABLE for a server that doesn't answer,
  /// or is read-only.
  static absl::StatusOr<std::unique_ptr<PostgresTripStore>> Open(Options options);
  /// Carries out waiting commands, then closes. No calls may be in progress.
  ~PostgresTripStore() override;

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
  std::uint64_t LastSequence() const override { return publisher_->published(); }
  absl::StatusOr<std::uint64_t> ReadLastSequence() const override;
  size_t waiting() const override { return writer_.waiting(); }
  /// "postgresql://HOST:PORT/DATABASE".
  const std::string& place() const { return place_; }

 private:
  PostgresTripStore(Options options, std::unique_ptr<postgres::Connection> connection,
                    std::unique_ptr<PostgresPublisher> publisher);
  /// Runs on the writer's thread.
  void Commit(Batch batch, Done done) override;
  /// Runs one transaction, and retries it while the database can't be reached.
  absl::Status CarryOut(Batch& batch, postgres::Deadline deadline);
  absl::Status TryOnce(Batch& batch, postgres::Deadline deadline);
  absl::Status Connect(postgres::Deadline deadline);
  absl::Status FindOutcome(PostgresLedger& ledger, postgres::Deadline deadline);
  void RollBack();
  /// Returns false if the deadline would pass meanwhile, or the store is closing.
  bool Pause(std::chrono::milliseconds pause, postgres::Deadline deadline);

  const Options options_;
  const std::string place_;
  const std::unique_ptr<PostgresPublisher> publisher_;
  mutable PostgresReaders readers_;
  // Used by the writer's thread only.
  std::unique_ptr<postgres::Connection> connection_;

  Mutex mu_;
  CondVar closing_;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  ThreadExecutor executor_;
  CommandWriter writer_;  // Last: its thread uses all above.
};

}  // namespace ridestream::trip
