#pragma once

#include <chrono>

#include "libs/base/mutex.h"

namespace ridestream::gateway {

/// An event that happens once, on another thread. Thread-safe.
class Event {
 public:
  void Happen() {
    MutexLock lock(mu_);
    happened_ = true;
    changed_.SignalAll();
  }
  /// Returns false if it hasn't happened within `patience`.
  bool Wait(std::chrono::milliseconds patience = std::chrono::seconds(30)) {
    const auto end = std::chrono::steady_clock::now() + patience;
    MutexLock lock(mu_);
    while (!happened_) {
      const auto left = end - std::chrono::steady_clock::now();
      if (left <= left.zero()) return false;
      changed_.WaitFor(mu_, left);
    }
    return true;
  }

 private:
  Mutex mu_;
  CondVar changed_;
  bool happened_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace ridestream::gateway
