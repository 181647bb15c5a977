#pragma once

#include <chrono>
#include <functional>
#include <thread>

#include "absl/status/status.h"
#include "libs/base/mutex.h"
#include "libs/rpc/acceptor.h"

namespace ridestream::rpc {

/// Asks its own server for its health at intervals, over a connection of its own, since a server
/// that accepts or answers nothing any more must be restarted. Runs one thread.
class SelfProbe {
 public:
  struct Options {
    /// Wall time between two probes.
    std::chrono::milliseconds every{10'000};
    /// Wall time that a probe may take to connect, and again to be answered.
    std::chrono::milliseconds patience{5'000};
    /// Probes in a row that must fail.
    int failures = 3;
    /// Called once with the last failure, on the probe's thread. Usually ends the process.
    std::function<void(const absl::Status&)> on_deaf;
  };

  /// `acceptor` must outlive it.
  SelfProbe(Acceptor& acceptor, Options options);
  /// Waits for a probe that is under way.
  ~SelfProbe();

 private:
  void Run();
  /// Returns false when the object is being destroyed.
  bool WaitForNextProbe();
  absl::Status Probe() const;

  Acceptor& acceptor_;
  const Options options_;
  Mutex mu_;
  CondVar stop_;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;  // Last: uses all above.
};

}  // namespace ridestream::rpc
