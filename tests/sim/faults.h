#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "loadtest/base/random.h"

namespace ridestream::sim {

/// All simulated faults, in the order of the report.
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
  kReaderStuck,  // Takes nothing for so long that a stream that is to end is broken off.
  kTripCrashed,
  kDispatchCrashed,
  kDispatchDrained,    // Sends its drivers away, and is started again.
  kDispatchPaused,     // Does nothing for some time, mostly longer than its lease.
  kLeaseClockStepped,  // The clock by which trip judges leases.
  kLocationCrashed,
  kWriteLost,  // Not synced when the process died.
  kDiskFailed,
  kBatchSpoilt,  // By one command: the others are committed one by one.
  kDiskSlow,
  kWorkerSlow,
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

/// Whether the fault takes time from somebody, or knowledge, so that promises to riders may be
/// broken by it. The others are to do no harm at all: a device's wrong clock, and what a driver
/// says twice, too late or shouldn't say.
bool MayDelay(Fault fault);

/// Decides what goes wrong, and counts it. Each seed has its own rates, some of them zero, so that
/// some runs show a single kind of fault and others all at once (A. Groce et al., "Swarm Testing",
/// 2012); in every eighth seed nothing goes wrong. Not thread-safe.
class Faults {
 public:
  explicit Faults(std::uint64_t seed);

  /// Whether the fault happens at this opportunity; counts it if so. Never when calm.
  bool Strikes(Fault fault);
  /// Like Strikes, but not counted, for faults that may still have no effect.
  bool Threatens(Fault fault);
  /// The fault happened.
  void Count(Fault fault, std::uint64_t times = 1) {
    counts_[static_cast<std::size_t>(fault)] += times;
    may_delay_ |= times > 0 && MayDelay(fault);
  }
  /// Whether a fault that may delay somebody was counted since the last call.
  bool TakeMayDelay() { return std::exchange(may_delay_, false); }

  /// Whether nothing goes wrong in this run.
  bool never() const { return never_; }
  void Calm() { calm_ = true; }
  bool calm() const { return calm_; }
  const FaultCounts& counts() const { return counts_; }

 private:
  const bool never_;
  bool calm_ = false;
  bool may_delay_ = false;
  loadtest::Random random_;
  std::array<double, kFaultCount> rates_;
  FaultCounts counts_{};
};

}  // namespace ridestream::sim
