#include "libs/testing/child_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string_view>
#include <utility>

namespace ridestream::testing {
namespace {

constexpr std::string_view kServing = " serving address=";

/// Ours, and that metrics are served on a free port, unless it says where: several systems may run
/// beside each other.
std::vector<char*> Environment() {
  static char metrics[] = "RIDESTREAM_METRICS_LISTEN=127.0.0.1:0";
  std::vector<char*> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) variables.push_back(*variable);
  if (std::getenv("RIDESTREAM_METRICS_LISTEN") == nullptr) variables.push_back(metrics);
  variables.push_back(nullptr);
  return variables;
}

/// What stands after " name=" in a log line, or nothing.
std::string FieldOf(std::string_view line, std::string_view name) {
  const std::string key = fmt::format(" {}=", name);
  const std::size_t at = line.find(key);
  if (at == std::string_view::npos) return "";
  line.remove_prefix(at + key.size());
  return std::string(line.substr(0, line.find(' ')));
}

std::string LastBytesOf(const std::string& path) {
  std::ifstream file(path);
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  return text.size() > 2'000 ? text.substr(text.size() - 2'000) : text;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ChildProcess>> ChildProcess::Start(
    const std::string& binary, const std::vector<std::string>& arguments,
    const std::string& log_path) {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) {
    return absl::InternalError(fmt::format("pipe: {}", std::strerror(errno)));
  }
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, fds[1], STDERR_FILENO);
  // A connection of ours that the child held too wouldn't end when we close it.
  posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  // A binary that blocks signals must not hand that to its children.
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);

  std::vector<char*> argv{const_cast<char*>(binary.c_str())};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  pid_t pid = 0;
  const int error =
      posix_spawn(&pid, binary.c_str(), &actions, &attributes, argv.data(), Environment().data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  close(fds[1]);
  if (error != 0) {
    close(fds[0]);
    return absl::NotFoundError(fmt::format("can't start {}: {}", binary, std::strerror(error)));
  }
  return std::unique_ptr<ChildProcess>(new ChildProcess(pid, fds[0], log_path));
}

ChildProcess::ChildProcess(pid_t pid, int stderr_fd, std::string log_path)
    : pid_(pid),
      stderr_fd_(stderr_fd),
      log_path_(std::move(log_path)),
      watcher_([this] { Watch(); }) {}

ChildProcess::~ChildProcess() {
  if (!reaped_) Stop(SIGKILL);
  watcher_.join();
  close(stderr_fd_);
}

void ChildProcess::Watch() {
  std::ofstream log(log_path_, std::ios::app);
  std::string line;
  char buffer[4096];
  ssize_t count = 0;
  while ((count = read(stderr_fd_, buffer, sizeof(buffer))) > 0 || (count < 0 && errno == EINTR)) {
    if (count < 0) continue;
    log.write(buffer, count);
    log.flush();
    line.append(buffer, static_cast<std::size_t>(count));
    for (std::size_t end = 0; (end = line.find('\n')) != std::string::npos;
         line.erase(0, end + 1)) {
      const std::string_view whole = std::string_view(line).substr(0, end);
      if (whole.find(kServing) == std::string_view::npos) continue;
      MutexLock lock(mu_);
      serving_ = whole;
      changed_.SignalAll();
    }
  }
  MutexLock lock(mu_);
  log_ended_ = true;
  changed_.SignalAll();
}

absl::StatusOr<std::string> ChildProcess::WaitUntilServing(std::chrono::seconds timeout) {
  const auto end = std::chrono::steady_clock::now() + timeout;
  MutexLock lock(mu_);
  while (serving_.empty() && !log_ended_) {
    const auto left = end - std::chrono::steady_clock::now();
    if (left <= left.zero()) {
      return absl::DeadlineExceededError(fmt::format("not serving after {} s; its log ends:\n{}",
                                                     timeout.count(), LastBytesOf(log_path_)));
    }
    changed_.WaitFor(mu_, left);
  }
  if (serving_.empty()) {
    return absl::UnavailableError(
        fmt::format("it ended before it served; its log ends:\n{}", LastBytesOf(log_path_)));
  }
  return FieldOf(serving_, "address");
}

std::string ChildProcess::ServingField(const std::string& name) {
  MutexLock lock(mu_);
  return FieldOf(serving_, name);
}

void ChildProcess::Signal(int signal) const {
  if (!reaped_) kill(pid_, signal);
}

bool ChildProcess::HasEnded() const {
  if (reaped_) return true;
  siginfo_t info{};
  // Left to be waited for: Stop tells how it ended.
  return waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == pid_;
}

std::string ChildProcess::LogEnd() const { return LastBytesOf(log_path_); }

int ChildProcess::Stop(int signal) {
  Signal(signal);
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  reaped_ = true;
  return status;
}

absl::StatusOr<std::size_t> ChildProcess::ResidentBytes() const {
  std::ifstream statm(fmt::format("/proc/{}/statm", pid_));
  std::size_t total_pages = 0;
  std::size_t resident_pages = 0;
  if (!(statm >> total_pages >> resident_pages)) {
    return absl::NotFoundError(fmt::format("/proc/{}/statm can't be read", pid_));
  }
  return resident_pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace ridestream::testing
