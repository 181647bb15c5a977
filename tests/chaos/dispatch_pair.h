#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/process/child_process.h"
#include "libs/process/local_services.h"

namespace ridestream::chaos {

/// Two dispatch processes for the same market at fixed addresses: one holds the market's lease, the
/// other is the standby. Logs are in the services' folder. Used by one thread; the services must
/// outlive it.
class DispatchPair {
 public:
  /// Starts the lease's holder first. `flags` are passed to both.
  static absl::StatusOr<std::unique_ptr<DispatchPair>> Start(const std::string& bin,
                                                             const process::LocalServices& services,
                                                             std::vector<std::string> flags);
  /// Drains both processes.
  ~DispatchPair();

  /// The addresses of both, in the form of the load generator's --dispatch.
  std::string addresses() const;

  /// SIGKILL.
  void KillHolder();
  /// SIGSTOP.
  void StopHolder();
  /// Call after the other process has taken over. Resumes a stopped process, which must end by
  /// itself with status 1, and restarts the failed process as the standby. INTERNAL if the resumed
  /// process ended otherwise, DEADLINE_EXCEEDED if it didn't end within 30 s.
  absl::Status Rejoin();

 private:
  DispatchPair() = default;
  absl::Status Launch(std::size_t which);
  process::ChildProcess& holder() { return *processes_[holder_]; }

  std::string binary_;
  std::string folder_;
  std::vector<std::string> flags_;
  std::array<std::string, 2> addresses_;
  std::array<std::unique_ptr<process::ChildProcess>, 2> processes_;
  std::size_t holder_ = 0;
  bool is_stopped_ = false;
};

}  // namespace ridestream::chaos
