#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "services/dispatch/domain/session.h"

namespace ridestream::dispatch {

enum class SessionCounter { kBegun, kResumed, kVoided, kRefused };

/// What the process counts about sessions, for the periodic log line. Thread-safe.
class SessionCounters {
 public:
  void Count(SessionCounter counter) { Add(sessions_[static_cast<std::size_t>(counter)]); }
  void Count(PositionVerdict verdict) { Add(positions_[static_cast<std::size_t>(verdict)]); }

  std::uint64_t value(SessionCounter counter) const {
    return sessions_[static_cast<std::size_t>(counter)].load(std::memory_order_relaxed);
  }
  std::uint64_t value(PositionVerdict verdict) const {
    return positions_[static_cast<std::size_t>(verdict)].load(std::memory_order_relaxed);
  }

 private:
  using Cell = std::atomic<std::uint64_t>;
  static void Add(Cell& cell) { cell.fetch_add(1, std::memory_order_relaxed); }

  std::array<Cell, 4> sessions_{};
  std::array<Cell, 4> positions_{};
};

}  // namespace ridestream::dispatch
