#pragma once

#include <random>
#include <string>
#include <vector>

namespace ridestream::roads {

/// `count` different names without a suffix, e.g. "Alder"; `count` at most 64.
std::vector<std::string> DrawStreetNames(std::mt19937_64& random, std::size_t count);

/// 1 as "1st", 12 as "12th".
std::string Ordinal(int number);

}  // namespace ridestream::roads
