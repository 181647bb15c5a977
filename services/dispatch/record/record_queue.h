#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "libs/base/mutex.h"
#include "libs/base/worker.h"
#include "services/dispatch/record/record_file.h"

namespace ridestream::dispatch {

/// Writes batches into a RecordFile on a worker of its own, so that a market never waits for a
/// disk. Bounded: a batch that finds kMaxBatches waiting is dropped, and the record has a gap
/// there. A file that can't be written is given up, with a line in the log. Thread-safe.
class RecordQueue {
 public:
  static constexpr std::size_t kMaxBatches = 64;

  /// `executor` outlives it.
  RecordQueue(std::string market, std::unique_ptr<RecordFile> file, Executor& executor);
  /// Writes what waits.
  ~RecordQueue();

  /// See EventRecorder::Sink.
  bool Offer(std::string batch, std::uint64_t events);

  /// Events that were written.
  std::uint64_t written() const { return written_; }
  /// Events that are missing in the record.
  std::uint64_t dropped() const { return dropped_; }
  /// Size of the file.
  std::uint64_t bytes() const { return bytes_; }

 private:
  struct Batch {
    std::string bytes;
    std::uint64_t events = 0;
  };

  std::optional<std::chrono::nanoseconds> Work();
  /// False if nothing waits.
  bool WriteNext();
  void GiveUp(const absl::Status& status);

  const std::string market_;
  const std::unique_ptr<RecordFile> file_;  // Touched by the worker, and then by the destructor.
  Mutex mu_;
  std::deque<Batch> batches_ ABSL_GUARDED_BY(mu_);
  /// Events dropped since the last batch that was taken.
  std::uint64_t gap_ ABSL_GUARDED_BY(mu_) = 0;
  bool gave_up_ ABSL_GUARDED_BY(mu_) = false;
  std::atomic<std::uint64_t> written_ = 0;
  std::atomic<std::uint64_t> dropped_ = 0;
  std::atomic<std::uint64_t> bytes_ = 0;
  std::unique_ptr<Worker> worker_;
};

}  // namespace ridestream::dispatch
