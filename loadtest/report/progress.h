#pragma once

#include <chrono>
#include <cstdio>
#include <string>

#include "libs/base/clock.h"
#include "loadtest/report/tally.h"

namespace ridestream::loadtest {

/// How a run reports its progress: a block that is redrawn in place, occasional lines, or nothing.
enum class ProgressMode { kBlock, kLines, kNone };

/// The state of a run at one moment.
struct ProgressView {
  std::string phase;              ///< "load", "drain", …
  std::chrono::seconds passed{};  ///< Of wall time, since the phase began.
  Time city_time;
  size_t drivers = 0;
  std::int64_t connected = 0;
  std::uint64_t requested = 0;
  /// Open trips by state, and ended trips.
  std::int64_t waiting = 0, assigned = 0, arrived = 0, aboard = 0;
  std::uint64_t completed = 0, cancelled = 0, unserved = 0;
  double positions_per_s = 0;  ///< Of wall time.
  double offer_p50_ms = 0, offer_p99_ms = 0;
};

std::string ToLine(const ProgressView& view);
/// Five lines, each ended.
std::string ToBlock(const ProgressView& view);

/// Shows progress on `out`. Not thread-safe.
class Progress {
 public:
  static constexpr std::chrono::seconds kLineEvery{5};
  static constexpr std::chrono::milliseconds kBlockEvery{500};

  /// References and `out` must outlive it.
  Progress(ProgressMode mode, std::FILE* out, size_t drivers, const Clock& clock,
           const Tally& tally);

  void Phase(std::string name);
  /// Call often: shows what there is when it is time to.
  void Tick();
  /// Shows a line of its own, unless nothing is shown.
  void PrintLine(const std::string& line);

 private:
  using Wall = std::chrono::steady_clock;
  ProgressView Look(Wall::time_point now);

  const ProgressMode mode_;
  std::FILE* const out_;
  const size_t drivers_;
  const Clock& clock_;
  const Tally& tally_;
  std::string phase_ = "connect";
  Wall::time_point phase_began_;
  Wall::time_point shown_at_;
  std::uint64_t positions_then_ = 0;
  bool block_drawn_ = false;
};

}  // namespace ridestream::loadtest
