#pragma once

#include <chrono>
#include <functional>
#include <thread>

#include "absl/status/status.h"
#include "grpcpp/client_context.h"
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
    /// Wall time limit for the answer, and for connecting, which may take 5 s at most. Long,
    /// because an overloaded server answers late, and to restart it would make its clients
    /// reconnect all at once.
    std::chrono::milliseconds patience{30'000};
    /// Number of consecutive failed probes that count as deaf.
    int failures = 3;
    /// Called once with the last failure, on the probe's thread. Usually ends the process.
    std::function<void(const absl::Status&)> on_deaf;
  };

  /// `acceptor` must outlive it.
  SelfProbe(Acceptor& acceptor, Options options);
  /// Cancels a running probe, which ends at once unless it is still connecting.
  ~SelfProbe();

 private:
  void Run();
  /// Returns false when the object is being destroyed.
  bool WaitForNextProbe();
  absl::Status Probe();
  bool IsStopping();

  Acceptor& acceptor_;
  const Options options_;
  Mutex mu_;
  CondVar stop_;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  grpc::ClientContext* call_ ABSL_GUARDED_BY(mu_) = nullptr;  // Of the running probe.
  std::thread thread_;  // Declared last, because it uses the other members.
};

}  // namespace ridestream::rpc
