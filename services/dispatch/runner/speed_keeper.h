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

/// Keeps the travel times of a market's streets in line with what its cars drive. On a thread of
/// its own, as new times take the streets some tens of milliseconds; nobody who asks for routes
/// meanwhile waits. Thread-safe.
class SpeedKeeper {
 public:
  /// Drives that may wait; of more the oldest goes.
  static constexpr std::size_t kMaxWaiting = 4'096;

  /// The times follow what was learned every so often, by the clock. All of it must outlive this.
  SpeedKeeper(const Clock& clock, Duration update_every, roads::Streets& streets,
              std::string market);
  ~SpeedKeeper();

  void Add(StreetsDriven driven);

  /// Pieces of streets that cars drove: those that were learned from, and those that weren't
  /// believed or are no whole piece between two points of the map.
  std::uint64_t pieces_learned() const { return pieces_learned_; }
  std::uint64_t pieces_ignored() const { return pieces_ignored_; }
  /// Updates of the streets' times.
  std::uint64_t updates() const { return updates_; }
  /// Streets whose time isn't the map's.
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
