#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/process/child_process.h"

namespace ridestream::bench {

/// A number of positions or questions, and the time that they took.
struct Measured {
  double items = 0;
  double seconds = 0;
  double per_second() const { return items / seconds; }
};

/// A program that finds the nearest drivers. Each measurement takes about `length`. Not
/// thread-safe.
class Peer {
 public:
  virtual ~Peer() = default;
  /// The process whose CPU time is compared; nullptr where many short processes do the work.
  virtual const process::ChildProcess* server() const = 0;

  /// Replaces positions in batches of kBatch, by kBatchCallers concurrent callers. Counts positions
  /// that can be found afterwards.
  virtual absl::StatusOr<Measured> Ingest(std::chrono::seconds length) = 0;

  /// Requests the kNearest drivers around random places, by CallersOf(questions) concurrent
  /// callers. Each sends its next call when it has the answers to `questions` questions, 1 or
  /// kBatch.
  virtual absl::StatusOr<Measured> FindNearest(int radius_m, int questions,
                                               std::chrono::seconds length) = 0;
};

inline constexpr int kBatch = 100;
inline constexpr int kBatchCallers = 4;
/// Number of different calls that a caller repeats. They are made before the measurement.
inline constexpr int kPreparedCalls = 64;
inline constexpr int CallersOf(int questions) { return questions == 1 ? 16 : kBatchCallers; }

/// Makes calls until `until`. Returns the number of items that the calls carried.
using Caller = std::function<absl::StatusOr<std::size_t>(std::chrono::steady_clock::time_point)>;

/// Repeats `call`, which carries `items`, until the time given.
Caller Repeat(std::size_t items, std::function<absl::Status()> call);

/// Runs each caller on a thread of its own. Returns the items of all of them, or the first error.
absl::StatusOr<Measured> MeasureRate(const std::vector<Caller>& callers,
                                     std::chrono::seconds length);

}  // namespace ridestream::bench
