#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/base/mutex.h"
#include "libs/postgres/connection.h"
#include "services/trip/domain/trip_store.h"
#include "services/trip/storage/batch.h"

namespace ridestream::trip {

/// Publishes the log of a database that several processes write, in order, and answers this
/// process's commands when their events are published. A thread of its own waits for batches that
/// this process's writer has committed, and for notifications of what others have. What follows the
/// last published event directly is published as it is; before anything else the log is read up to
/// there. Thread-safe.
class PostgresPublisher {
 public:
  /// Interval at which the log is read without a notification.
  static constexpr std::chrono::milliseconds kPollEvery{500};
  /// Committed batches that may wait to be published; then the writer waits.
  static constexpr size_t kMaxBatches = 4;

  struct Options {
    std::string url;
    TripStore::Listener listener;
    /// Told of the events of this process's batches, before they are answered.
    TripStore::Listener on_written;
    /// Told once when the log can't be read, until it can be again.
    std::function<void(const absl::Status&)> on_failure;
  };

  static absl::StatusOr<std::unique_ptr<PostgresPublisher>> Open(Options options,
                                                                 postgres::Deadline deadline);
  /// Publishes and answers what was committed.
  ~PostgresPublisher();

  /// For the writer, in the order of its commits: publishes and answers the batch.
  void Committed(Batch batch);
  /// The backend of the writer's connection: its notifications add nothing to Committed.
  void IgnoreBackend(int pid) { writer_pid_ = pid; }
  /// The last published sequence, or what the log held at the start.
  std::uint64_t published() const { return published_; }

 private:
  PostgresPublisher(Options options, int wake_up);
  absl::Status Listen(postgres::Deadline deadline);
  void Loop();
  /// Waits for a batch, a notification, or the next poll.
  void Wait();
  void ReadNotifications();
  bool TakeBatch(Batch& batch);
  void Publish(Batch batch);
  /// Publishes the part of consecutive events that is new; false if there is a hole before it.
  bool PublishNext(const std::vector<EventPtr>& events);
  void CatchUp();
  absl::Status ReadOn();

  const Options options_;
  const int wake_up_;  // An eventfd.
  std::atomic<std::uint64_t> published_ = 0;
  std::atomic<int> writer_pid_ = 0;

  // Used by the thread, after Open.
  std::unique_ptr<postgres::Connection> connection_;
  bool behind_ = false;   // There may be more in the log than is published.
  bool failing_ = false;  // The failure was reported.

  Mutex mu_;
  CondVar taken_;
  std::deque<Batch> committed_ ABSL_GUARDED_BY(mu_);
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace ridestream::trip
