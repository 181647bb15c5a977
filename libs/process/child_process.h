#pragma once

#include <sys/types.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace ridestream::process {

/// A program run as a child of this process. It has its own process group, so that Ctrl-C in a
/// terminal reaches only the parent, which decides what to pass on. Start, Signal and the const
/// functions may be called from any thread; WaitUntilServing and Stop by one thread at a time. The
/// destructor kills the child.
class ChildProcess {
 public:
  struct Options {
    std::string binary;
    std::vector<std::string> arguments = {};
    /// The file to which the child's stderr is appended. If empty, the child shares stderr with
    /// this process, and announces no address.
    std::string log_path = {};
    /// The file to which the child's stdout is appended. If empty, the child shares stdout with
    /// this process.
    std::string stdout_path = {};
    /// Added to this process's environment.
    std::map<std::string, std::string> environment = {};
  };

  /// NOT_FOUND or PERMISSION_DENIED, with the path, if the binary can't be run or the log can't be
  /// written.
  static absl::StatusOr<std::unique_ptr<ChildProcess>> Start(const Options& options);
  ~ChildProcess();

  /// Waits until the service announces its address (--address_file of libs/service), and returns it
  /// as HOST:PORT. UNAVAILABLE if the process ends before; DEADLINE_EXCEEDED after `timeout`. Both
  /// messages contain the log's last line and then the end of the log before it.
  absl::StatusOr<std::string> WaitUntilServing(
      std::chrono::seconds timeout = std::chrono::seconds(60));

  /// Another announced value, e.g. "metrics". Empty if there is none, and before WaitUntilServing.
  std::string Announced(const std::string& name) const;

  void Signal(int signal) const;
  /// Whether the process has ended, by itself or by a signal.
  bool HasEnded() const;
  /// Sends `signal` (0 sends none) and waits for the end. Returns waitpid's wait status.
  int Stop(int signal);

  /// Current resident memory in bytes.
  absl::StatusOr<std::size_t> ResidentBytes() const;
  /// CPU time used so far by all its threads and its ended children, with a resolution of 10 ms.
  absl::StatusOr<std::chrono::milliseconds> CpuTime() const;
  pid_t pid() const { return pid_; }
  const std::string& log_path() const { return log_path_; }
  /// The last 2,000 bytes of its log, for messages.
  std::string LogEnd() const;

 private:
  ChildProcess(pid_t pid, std::string log_path, std::string address_file);

  const pid_t pid_;
  const std::string log_path_;
  const std::string address_file_;
  std::map<std::string, std::string> announced_;
  bool reaped_ = false;
};

/// The last 2,000 bytes of a file, or the whole file; empty if there is none.
std::string LastBytesOf(const std::string& path);

/// Describes waitpid's wait status: "exited with status 3" or "ended by signal 9".
std::string DescribeWaitStatus(int status);

}  // namespace ridestream::process
