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

/// Copies the log's events to a topic, each exactly once and in order. Stores no state itself:
/// after a start or an error it takes over the topic, reads the position in it and follows the log
/// from there. One thread calls Step; counts() is thread-safe.
class Exporter {
 public:
  using Instant = std::chrono::steady_clock::time_point;

  struct Options {
    /// Sorted, without duplicates.
    std::vector<std::string> markets;
    /// Maximum number of events in a transaction. More are cheaper, but delay the first of them.
    std::size_t max_batch = 512;
    /// How long a step waits for events.
    std::chrono::nanoseconds idle{std::chrono::milliseconds(100)};
    /// Time of uninterrupted failure after which the export ends with the last error.
    std::chrono::nanoseconds give_up_after{std::chrono::minutes(5)};
    /// Called with OK when the topic was opened, and with the reason when it has to be opened
    /// again.
    std::function<void(const absl::Status&)> on_change = [](const absl::Status&) {};
  };
  struct Counts {
    std::uint64_t produced = 0;
    std::uint64_t failures = 0;
    /// Sequence of the last exported event; 0 before the topic was opened.
    std::uint64_t position = 0;
    bool is_open = false;
  };

  /// All must outlive this object.
  Exporter(Options options, EventTopic& topic, EventLog& log, EventQueue& queue);

  /// Opens the topic, or exports waiting events. Returns the pause before the next step, or the
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
