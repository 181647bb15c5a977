#pragma once

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/base/mutex.h"

namespace ridestream::testing {

/// A service run as a real process of its own, for tests and benchmarks that cross processes. What
/// it says on stderr goes to a log file, and is watched for the line that it is serving. In a
/// process group of its own, so that a terminal's Ctrl-C is its parent's to pass on. Thread-safe.
/// The destructor kills it.
class ChildProcess {
 public:
  /// Starts `binary` with `arguments`; its log is `log_path`, which is appended to.
  static absl::StatusOr<std::unique_ptr<ChildProcess>> Start(
      const std::string& binary, const std::vector<std::string>& arguments,
      const std::string& log_path);
  ~ChildProcess();

  /// Waits for the line `… serving address=HOST:PORT …` and returns the address. UNAVAILABLE with
  /// the log's end when the process ends before, DEADLINE_EXCEEDED after `timeout`.
  absl::StatusOr<std::string> WaitUntilServing(
      std::chrono::seconds timeout = std::chrono::seconds(60));

  /// Another field of that line, e.g. "metrics"; empty if it has none, or wasn't seen yet.
  std::string ServingField(const std::string& name);

  void Signal(int signal) const;
  /// Whether it has ended, by itself or because of a signal.
  bool HasEnded() const;
  /// Sends the signal (0 is none) and waits for the end. Returns what waitpid said.
  int Stop(int signal);

  /// Resident memory now, in bytes.
  absl::StatusOr<std::size_t> ResidentBytes() const;
  pid_t pid() const { return pid_; }
  const std::string& log_path() const { return log_path_; }
  /// The last lines of its log, for messages.
  std::string LogEnd() const;

 private:
  ChildProcess(pid_t pid, int stderr_fd, std::string log_path);
  void Watch();

  const pid_t pid_;
  const int stderr_fd_;
  const std::string log_path_;
  Mutex mu_;
  CondVar changed_;
  std::string serving_ ABSL_GUARDED_BY(mu_);  // The line.
  bool log_ended_ ABSL_GUARDED_BY(mu_) = false;
  bool reaped_ = false;
  std::thread watcher_;
};

}  // namespace ridestream::testing
