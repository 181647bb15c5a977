#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "loadtest/base/random.h"

namespace ridestream::sim {

/// Everything that goes wrong. In the order of the report.
enum class Fault {
  kMessageDelayed,
  kMessageOvertaken,  // Came on an older stream behind a newer one's first message.
  kMessageLost,       // With its stream.
  kRequestLost,
  kReplyLost,
  kRequestDoubled,  // Carried out, its reply lost, and sent again by the retry policy.
  kStreamCut,
  kStreamHalfOpen,   // One end of a cut stream learns of it by keepalive only.
  kNetworkSwitched,  // A driver is on a new stream before the old one's last messages arrive.
  kReaderSlow,
  kTripCrashed,
  kDispatchCrashed,
  kLocationCrashed,
  kWriteLost,  // Not synced when the process died.
  kDiskFailed,
  kDiskSlow,
  kLocationStale,
  kLocationSilent,
  kMarketQueueFull,
  kReconnectStorm,
  kDriverVanished,
  kDriverVanishedWithRider,
  kDeviceClockWrong,
  kPositionJumped,
  kAcceptLate,
  kCommandDoubled,
  kCommandWrong,  // About a trip or an offer of somebody else, or of nobody.
};
inline constexpr std::size_t kFaultCount = static_cast<std::size_t>(Fault::kCommandWrong) + 1;

/// "message_delayed": stable, for JSON.
std::string_view Name(Fault fault);

using FaultCounts = std::array<std::uint64_t, kFaultCount>;

/// Decides what goes wrong, and counts it. Each seed has rates of its own, among them zero, so that
/// some runs show one kind in its purity and others all at once (A. Groce et al., "Swarm Testing",
/// 2012). Not thread-safe.
class Faults {
 public:
  explicit Faults(std::uint64_t seed);

  /// Whether it happens at this opportunity; counted if so. Never when calm.
  bool Strikes(Fault fault);
  /// The same, not counted, for what may still come to nothing.
  bool Threatens(Fault fault);
  /// It happened.
  void Count(Fault fault, std::uint64_t times = 1) {
    counts_[static_cast<std::size_t>(fault)] += times;
  }

  void Calm() { calm_ = true; }
  bool calm() const { return calm_; }
  const FaultCounts& counts() const { return counts_; }

 private:
  bool calm_ = false;
  loadtest::Random random_;
  std::array<double, kFaultCount> rates_;
  FaultCounts counts_{};
};

}  // namespace ridestream::sim
