#pragma once

#include <cstdint>
#include <string_view>

namespace ridestream::loadtest {

/// A first name for a driver or a rider. Equal numbers have equal names, and many numbers share a
/// name.
std::string_view FirstName(std::uint64_t number);

}  // namespace ridestream::loadtest
