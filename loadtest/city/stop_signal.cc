#include "loadtest/city/stop_signal.h"

#include <csignal>
#include <ctime>

namespace ridestream::loadtest {

bool WaitForStopSignal(std::chrono::nanoseconds time) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const timespec timeout{seconds.count(), (time - seconds).count()};
  return sigtimedwait(&signals, nullptr, &timeout) > 0;
}

}  // namespace ridestream::loadtest
