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

/// Two dispatch processes for the same market, at addresses that stay: one holds the market's
/// lease, the other stands by. Logs go to the folder of the services. Used by one thread; the
/// services must outlive it.
class DispatchPair {
 public:
  /// Starts the holder first. `flags` are those of both.
  static absl::StatusOr<std::unique_ptr<DispatchPair>> Start(const std::string& bin,
                                                             const process::LocalServices& services,
                                                             std::vector<std::string> flags);
  /// Lets both drain.
  ~DispatchPair();

  /// The addresses of both, as --dispatch of the load generator takes them.
  std::string addresses() const;

  /// SIGKILL.
  void KillHolder();
  /// SIGSTOP.
  void StopHolder();
  /// Call after the other process has taken over. Resumes a stopped process, which must end by
  /// itself with status 1, and starts the failed process again, as the standby. INTERNAL when the
  /// resumed process ended otherwise, DEADLINE_EXCEEDED when it didn't end within 30 s.
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
