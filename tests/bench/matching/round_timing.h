#pragma once

#include <cstddef>
#include <cstdint>

#include "libs/roads/streets.h"

namespace ridestream::bench {

/// Milliseconds that the thread computed: what other processes take from it doesn't count.
struct RoundTiming {
  double p50_ms = 0;
  double p99_ms = 0;
};

/// How long a single round takes, travel times and assignment: `rounds` rounds of this many riders
/// and free drivers at random places on the streets, where each rider may have any of its
/// `candidates` nearest.
RoundTiming TimeRounds(const roads::Streets& streets, std::size_t riders, std::size_t drivers,
                       std::size_t candidates, std::size_t rounds, std::uint64_t seed);

/// The best insertion of one rider over this many cars, each with up to three riders.
RoundTiming TimeInsertions(const roads::Streets& streets, std::size_t cars, std::size_t riders,
                           std::uint64_t seed);

}  // namespace ridestream::bench
