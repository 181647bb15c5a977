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
/// process's commands when their events have been published. Its thread waits for batches committed
/// by this process's writer, and for notifications of other processes' commits. A batch that
/// directly follows the last published event is published as it is; before any other, the log is
/// read up to it. Thread-safe.
class PostgresPublisher {
 public:
  /// Interval at which the log is read even without a notification.
  static constexpr std::chrono::milliseconds kPollEvery{500};
  /// Maximum number of committed batches that wait to be published. The writer blocks beyond it.
  static constexpr size_t kMaxBatches = 4;

  struct Options {
    std::string url;
    TripStore::Listener listener;
    /// Called with the events of this process's batches, before they are answered.
    TripStore::Listener on_written;
    /// Called once when the log can't be read, and again only after it could be read in between.
    std::function<void(const absl::Status&)> on_failure;
  };

  static absl::StatusOr<std::unique_ptr<PostgresPublisher>> Open(Options options,
                                                                 postgres::Deadline deadline);
  /// Publishes and answers the committed batches.
  ~PostgresPublisher();

  /// Called by the writer in the order of its commits: publishes and answers the batch.
  void Committed(Batch batch);
  /// Process id of the writer connection's backend, whose notifications are ignored, since
  /// Committed reports the same batches.
  void IgnoreBackend(int pid) { writer_pid_ = pid; }
  /// Sequence of the last published event, initially that of the log at the start.
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
  /// Publishes those of the consecutive events that are new. Returns false if there is a gap before
  /// them.
  bool PublishNext(const std::vector<EventPtr>& events);
  void CatchUp();
  absl::Status ReadOn();

  const Options options_;
  const int wake_up_;  // An eventfd.
  std::atomic<std::uint64_t> published_ = 0;
  std::atomic<int> writer_pid_ = 0;

  // Used by the publisher's thread only, after Open.
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
