#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "libs/base/clock.h"
#include "libs/base/mutex.h"
#include "ridestream/location/v1/location.pb.h"
#include "services/exporter/domain/record.h"

namespace ridestream::exporter {

/// Copies drivers' positions to a topic, with loss: only the newest position of each driver waits,
/// so a slow or unavailable topic gets fewer positions, never a backlog. Add, counts and waiting
/// are thread-safe; one thread calls Step.
class PositionExport {
 public:
  /// Maximum number of drivers with waiting positions. Positions of further drivers are dropped.
  static constexpr std::size_t kMaxWaiting = 100'000;
  static constexpr std::size_t kMaxBatch = 4'096;
  static constexpr std::chrono::milliseconds kIdle{100};
  static constexpr std::chrono::seconds kPauseAfterError{1};

  /// Writes records to the topic. May block for seconds. The records of a failed write aren't
  /// written again.
  using Write = std::function<absl::Status(const std::vector<Record>&)>;
  struct Counts {
    std::uint64_t produced = 0;
    /// Positions in failed writes, replaced by a newer one while they waited, or beyond
    /// kMaxWaiting.
    std::uint64_t dropped = 0;
  };

  explicit PositionExport(Write write) : write_(std::move(write)) {}

  /// Takes the positions of a frame of `market` that arrived at `now`.
  void Add(const std::string& market, const location::v1::WatchAreaResponse& frame, Time now);
  /// Writes a batch of waiting positions, round robin over the drivers, so that each gets its turn
  /// however slow the topic is. Returns the pause before the next step.
  std::chrono::nanoseconds Step();

  Counts counts() const { return {.produced = produced_, .dropped = dropped_}; }
  std::size_t waiting() const;

 private:
  std::vector<Record> TakeBatch();

  const Write write_;
  mutable Mutex mu_;
  std::map<std::string, std::string> latest_ ABSL_GUARDED_BY(mu_);  // Values by driver.
  std::string last_taken_ ABSL_GUARDED_BY(mu_);  // The driver after whom the next batch begins.
  bool failing_ = false;                         // The last write; Step's.
  std::atomic<std::uint64_t> produced_ = 0;
  std::atomic<std::uint64_t> dropped_ = 0;
};

}  // namespace ridestream::exporter
