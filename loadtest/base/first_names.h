#pragma once

#include <cstdint>
#include <string_view>

namespace ridestream::loadtest {

/// What drivers and riders call each other; many share a name. The same number has the same name.
std::string_view FirstName(std::uint64_t number);

}  // namespace ridestream::loadtest
