#pragma once

#include <chrono>

namespace ridestream::loadtest {

/// Waits for SIGINT or SIGTERM, which service::Initialize has blocked, for at most `time`. True
/// when one came: each says once "enough of this".
bool WaitForStopSignal(std::chrono::nanoseconds time);

}  // namespace ridestream::loadtest
