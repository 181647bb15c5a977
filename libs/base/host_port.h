#pragma once

#include <string>
#include <string_view>

namespace ridestream {

/// `address`, which is host:port, with `port` for its port.
std::string WithPort(std::string_view address, int port);

}  // namespace ridestream
