#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace ridestream::chaos {

/// What can be hurt: a service, or the connections of one kind.
enum class Target {
  kTrip,
  kLocation,
  kDispatch,
  kRidersToTrip,
  kDriversToDispatch,
  kDispatchToTrip,
  kDispatchToLocation,
};
inline constexpr std::size_t kTargets = static_cast<std::size_t>(Target::kDispatchToLocation) + 1;

/// What is done to it.
enum class Deed {
  kKill,      ///< SIGKILL; started again at once.
  kRestart,   ///< SIGTERM, which drains; started again when it has ended.
  kFreeze,    ///< SIGSTOP for a while.
  kCut,       ///< Every connection reset.
  kHalfOpen,  ///< Every connection goes silent for good, and neither end is told.
  kDelay,     ///< Bytes come late for a while.
  kThrottle,  ///< Bytes trickle for a while.
};

std::string Name(Target target);
std::string Name(Deed deed);

/// One entry of a schedule. Wall time; `lasts` is zero for what happens in an instant.
struct Event {
  std::chrono::milliseconds at;
  Deed deed;
  Target target;
  std::chrono::milliseconds lasts;
};

/// What is to happen within `length`, in order: from one event to the next never more than 4 s, and
/// no target twice at a time. All of it follows from the seed. Every deed with every target that it
/// fits comes before one comes again, as cards are dealt from a shuffled deck.
std::vector<Event> MakeSchedule(std::uint64_t seed, std::chrono::milliseconds length);

}  // namespace ridestream::chaos
