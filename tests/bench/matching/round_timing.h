#pragma once

#include <cstddef>
#include <cstdint>

#include "libs/roads/streets.h"

namespace ridestream::bench {

/// Milliseconds of the thread's CPU time, which excludes other processes.
struct RoundTiming {
  double p50_ms = 0;
  double p99_ms = 0;
};

/// The duration of a single round, travel times and assignment: `rounds` rounds with this many
/// riders and free drivers at random places on streets, where each rider may be assigned any of its
/// `candidates` nearest drivers.
RoundTiming TimeRounds(const roads::Streets& streets, std::size_t riders, std::size_t drivers,
                       std::size_t candidates, std::size_t rounds, std::uint64_t seed);

/// The best insertion of one rider into this many cars, each with up to three riders.
RoundTiming TimeInsertions(const roads::Streets& streets, std::size_t cars, std::size_t riders,
                           std::uint64_t seed);

}  // namespace ridestream::bench
