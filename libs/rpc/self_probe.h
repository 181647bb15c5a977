#pragma once

#include <chrono>
#include <functional>
#include <thread>

#include "absl/status/status.h"
#include "libs/base/mutex.h"
#include "libs/rpc/acceptor.h"

namespace ridestream::rpc {

/// Checks this process's own server at intervals by a health call over a separate connection,
/// because a server that no longer accepts or answers must be restarted. Runs one thread.
class SelfProbe {
 public:
  struct Options {
    /// Wall time between two probes.
    std::chrono::milliseconds every{10'000};
    /// Wall time limit for connecting, and again for the answer. Long, because an overloaded server
    /// answers late, and to restart it would make its clients reconnect all at once.
    std::chrono::milliseconds patience{30'000};
    /// Number of consecutive failed probes that count as deaf.
    int failures = 3;
    /// Called once with the last failure, on the probe's thread. Usually ends the process.
    std::function<void(const absl::Status&)> on_deaf;
  };

  /// `acceptor` must outlive it.
  SelfProbe(Acceptor& acceptor, Options options);
  /// Waits for a running probe.
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
  std::thread thread_;  // Declared last, because it uses the other members.
};

}  // namespace ridestream::rpc
