#include "libs/base/host_port.h"

#include <fmt/format.h>

namespace ridestream {

std::string WithPort(std::string_view address, int port) {
  return fmt::format("{}:{}", address.substr(0, address.rfind(':')), port);
}

}  // namespace ridestream
