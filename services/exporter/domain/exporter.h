#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/exporter/domain/event_queue.h"
#include "services/exporter/domain/ports.h"

namespace ridestream::exporter {

/// Moves the log's events into a topic, each once and in order. It keeps nothing itself: every
/// start and every error leads to the same step, which takes the topic over, reads its position and
/// follows the log from there. One thread calls Step; counts() is thread-safe.
class Exporter {
 public:
  using Instant = std::chrono::steady_clock::time_point;

  struct Options {
    /// Sorted, without repetitions.
    std::vector<std::string> markets;
    /// Events of one transaction: more make it cheaper, and the first of them later.
    std::size_t max_batch = 512;
    /// How long a step waits for events.
    std::chrono::nanoseconds idle{std::chrono::milliseconds(100)};
    /// Time of uninterrupted failure after which the export ends with the last error.
    std::chrono::nanoseconds give_up_after{std::chrono::minutes(5)};
    /// Told with OK when the topic was opened, and with the reason when it has to be opened again.
    std::function<void(const absl::Status&)> on_change = [](const absl::Status&) {};
  };
  struct Counts {
    std::uint64_t produced = 0;
    std::uint64_t failures = 0;
    /// Sequence of the last exported event; 0 before the topic was opened.
    std::uint64_t position = 0;
    bool is_open = false;
  };

  /// All must outlive it.
  Exporter(Options options, EventTopic& topic, EventLog& log, EventQueue& queue);

  /// Opens the topic or exports what waits. Returns how long to pause before the next step, or the
  /// error with which the export ends.
  absl::StatusOr<std::chrono::nanoseconds> Step(Instant now);

  Counts counts() const;

 private:
  absl::Status Open();
  absl::Status CheckPosition(const EventTopic::Opened& opened) const;
  absl::Status ExportWaiting();
  absl::StatusOr<std::chrono::nanoseconds> OnError(const absl::Status& status, Instant now);

  const Options options_;
  EventTopic& topic_;
  EventLog& log_;
  EventQueue& queue_;
  v1::ExportPosition position_;
  std::optional<Instant> failing_since_;
  int failures_in_a_row_ = 0;
  std::atomic<std::uint64_t> produced_ = 0;
  std::atomic<std::uint64_t> failures_ = 0;
  std::atomic<std::uint64_t> sequence_ = 0;
  std::atomic<bool> is_open_ = false;
};

}  // namespace ridestream::exporter
