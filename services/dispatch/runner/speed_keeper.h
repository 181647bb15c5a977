#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "libs/base/clock.h"
#include "libs/base/mutex.h"
#include "libs/roads/learning/speed_learner.h"
#include "libs/roads/streets.h"
#include "services/dispatch/domain/events/market_events.h"

namespace ridestream::dispatch {

/// Updates the travel times of a market's streets from its cars' drives. Uses its own thread, since
/// an update takes some tens of milliseconds, during which routes can still be computed.
/// Thread-safe.
class SpeedKeeper {
 public:
  /// Maximum number of waiting drives. Beyond it the oldest is dropped.
  static constexpr std::size_t kMaxWaiting = 4'096;

  /// Updates the times at this interval of the clock. The arguments must outlive this object.
  SpeedKeeper(const Clock& clock, Duration update_every, roads::Streets& streets,
              std::string market);
  ~SpeedKeeper();

  void Add(StreetsDriven driven);

  /// Numbers of driven street segments: those that were used, and those that were implausible or
  /// incomplete.
  std::uint64_t pieces_learned() const { return pieces_learned_; }
  std::uint64_t pieces_ignored() const { return pieces_ignored_; }
  /// Number of updates of the streets' travel times.
  std::uint64_t updates() const { return updates_; }
  /// Number of streets whose travel time differs from the map's.
  std::size_t changed_streets() const { return changed_streets_; }

 private:
  using Drives = std::deque<std::pair<StreetsDriven, Time>>;

  void Run();
  void Learn(const Drives& drives);
  void Update();

  const Clock& clock_;
  const Duration update_every_;
  roads::Streets& streets_;
  const std::string market_;
  roads::SpeedLearner learner_;  // Touched by thread_ alone.
  std::atomic<std::uint64_t> pieces_learned_ = 0;
  std::atomic<std::uint64_t> pieces_ignored_ = 0;
  std::atomic<std::uint64_t> updates_ = 0;
  std::atomic<std::size_t> changed_streets_ = 0;

  Mutex mu_;
  CondVar changed_;
  Drives drives_ ABSL_GUARDED_BY(mu_);
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace ridestream::dispatch
