#pragma once

#include <cstddef>

namespace ridestream::rpc {

/// The most memory that this process may use, in bytes: its container's limit (cgroup version 1 or
/// 2), or the machine's memory.
std::size_t MemoryLimitBytes();

}  // namespace ridestream::rpc
