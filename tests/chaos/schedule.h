#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace ridestream::chaos {

/// The target of an event: a service, or the connections of one kind.
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

/// The action on a target.
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

/// An entry of a schedule, in wall time; `lasts` is zero for an instantaneous event.
struct Event {
  std::chrono::milliseconds at;
  Deed deed;
  Target target;
  std::chrono::milliseconds lasts;
};

/// The events within `length`, in order: at most 4 s apart, and no target has two at a time.
/// Determined by the seed. Every possible pair of deed and target occurs before one is repeated,
/// like cards dealt from a shuffled deck.
std::vector<Event> MakeSchedule(std::uint64_t seed, std::chrono::milliseconds length);

}  // namespace ridestream::chaos
