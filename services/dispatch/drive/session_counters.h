#pragma once

#include <array>
#include <cstdint>

#include "libs/base/sharded_counter.h"
#include "services/dispatch/domain/session/session.h"

namespace ridestream::dispatch {

enum class SessionCounter {
  kBegun,
  kResumed,
  /// The driver left too many pushes without an ack.
  kVoided,
  /// A stream or a Hello was refused because of the limits.
  kRefused,
  /// Dropped early in favour of another driver.
  kEvicted,
  kTooManyCommands,
  /// A member of the oneof that this service doesn't know.
  kUnknownMessage,
};

/// The process's counters of sessions. Thread-safe; counting a position is one addition to a cell
/// that few other threads use.
class SessionCounters {
 public:
  void Count(SessionCounter counter) { sessions_[static_cast<std::size_t>(counter)].Add(); }
  void Count(PositionVerdict verdict) { positions_[static_cast<std::size_t>(verdict)].Add(); }

  std::uint64_t value(SessionCounter counter) const {
    return sessions_[static_cast<std::size_t>(counter)].value();
  }
  std::uint64_t value(PositionVerdict verdict) const {
    return positions_[static_cast<std::size_t>(verdict)].value();
  }

 private:
  std::array<ShardedCounter, 7> sessions_;
  std::array<ShardedCounter, 5> positions_;
};

}  // namespace ridestream::dispatch
