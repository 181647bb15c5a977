#include "libs/process/child_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string_view>
#include <thread>
#include <utility>

#include "libs/service/address_file.h"

namespace ridestream::process {
namespace {

/// Interval at which a starting service's address file is read.
constexpr std::chrono::milliseconds kPollEvery{5};

/// This process's environment with the variables of `added`, which replace those of the same name.
std::vector<std::string> Environment(const std::map<std::string, std::string>& added) {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    if (!added.contains(std::string(text.substr(0, text.find('='))))) variables.emplace_back(text);
  }
  for (const auto& [name, value] : added) variables.push_back(fmt::format("{}={}", name, value));
  return variables;
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

/// Creates an empty file, which the service replaces once it serves.
absl::StatusOr<std::string> MakeAddressFile() {
  std::string path = std::filesystem::temp_directory_path() / "ridestream-address-XXXXXX";
  const int file = mkostemp(path.data(), O_CLOEXEC);
  if (file < 0) {
    return absl::PermissionDeniedError(fmt::format("{}: {}", path, std::strerror(errno)));
  }
  close(file);
  return path;
}

/// Appends the log to `what`: first the last line, which says why a program ended, then the lines
/// before it.
std::string WithLog(const std::string& what, std::string log) {
  while (log.ends_with('\n')) log.pop_back();
  if (log.empty()) return what + "; its log is empty";
  const std::size_t line_break = log.rfind('\n');
  if (line_break == std::string::npos) return fmt::format("{}: {}", what, log);
  return fmt::format("{}: {}\nthe log before that:\n{}", what, log.substr(line_break + 1),
                     log.substr(0, line_break));
}

/// The attributes and file actions of posix_spawn; freed by the destructor.
class SpawnSettings {
 public:
  SpawnSettings() {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
    sigset_t none;
    sigemptyset(&none);
    // Children must not inherit this process's blocked signals.
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  posix_spawn_file_actions_t* actions() { return &actions_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ChildProcess>> ChildProcess::Start(const Options& options) {
  SpawnSettings settings;
  std::map<std::string, std::string> added = options.environment;
  std::string address_file;
  if (!options.log_path.empty()) {
    auto file = MakeAddressFile();
    if (!file.ok()) return file.status();
    address_file = *std::move(file);
    added["RIDESTREAM_ADDRESS_FILE"] = address_file;
    // Several systems may run at the same time, so metrics use a free port by default.
    if (std::getenv("RIDESTREAM_METRICS_LISTEN") == nullptr) {
      added.try_emplace("RIDESTREAM_METRICS_LISTEN", "127.0.0.1:0");
    }
    posix_spawn_file_actions_addopen(settings.actions(), STDERR_FILENO, options.log_path.c_str(),
                                     O_WRONLY | O_CREAT | O_APPEND, 0644);
  }
  if (!options.stdout_path.empty()) {
    posix_spawn_file_actions_addopen(settings.actions(), STDOUT_FILENO, options.stdout_path.c_str(),
                                     O_WRONLY | O_CREAT | O_APPEND, 0644);
  }
  posix_spawn_file_actions_addopen(settings.actions(), STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  // If the child inherited one of our connections, our closing it would not end it.
  posix_spawn_file_actions_addclosefrom_np(settings.actions(), STDERR_FILENO + 1);

  std::vector<std::string> arguments = options.arguments;
  arguments.insert(arguments.begin(), options.binary);
  std::vector<std::string> environment = Environment(added);
  pid_t pid = 0;
  const int error =
      posix_spawnp(&pid, options.binary.c_str(), settings.actions(), settings.attributes(),
                   Pointers(arguments).data(), Pointers(environment).data());
  if (error != 0) {
    if (!address_file.empty()) unlink(address_file.c_str());
    const std::string text =
        fmt::format("can't start {}: {}", options.binary, std::strerror(error));
    return error == EACCES ? absl::PermissionDeniedError(text) : absl::NotFoundError(text);
  }
  return std::unique_ptr<ChildProcess>(
      new ChildProcess(pid, options.log_path, std::move(address_file)));
}

ChildProcess::ChildProcess(pid_t pid, std::string log_path, std::string address_file)
    : pid_(pid), log_path_(std::move(log_path)), address_file_(std::move(address_file)) {}

ChildProcess::~ChildProcess() {
  if (!reaped_) Stop(SIGKILL);
  if (!address_file_.empty()) unlink(address_file_.c_str());
}

absl::StatusOr<std::string> ChildProcess::WaitUntilServing(std::chrono::seconds timeout) {
  const auto end = std::chrono::steady_clock::now() + timeout;
  while (true) {
    // Checked before the file is read, so that an address which a process announced before it ended
    // is seen.
    const bool ended = HasEnded();
    announced_ = service::ReadAddressFile(address_file_);
    if (!announced_["address"].empty()) return announced_["address"];
    if (ended) {
      return absl::UnavailableError(WithLog("it ended before it was ready", LogEnd()));
    }
    if (std::chrono::steady_clock::now() >= end) {
      return absl::DeadlineExceededError(
          WithLog(fmt::format("not ready after {} s", timeout.count()), LogEnd()));
    }
    std::this_thread::sleep_for(kPollEvery);
  }
}

std::string ChildProcess::Announced(const std::string& name) const {
  const auto it = announced_.find(name);
  return it == announced_.end() ? "" : it->second;
}

void ChildProcess::Signal(int signal) const {
  if (!reaped_) kill(pid_, signal);
}

bool ChildProcess::HasEnded() const {
  if (reaped_) return true;
  siginfo_t info{};
  // Does not reap the child: Stop returns its status later.
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

absl::StatusOr<std::chrono::milliseconds> ChildProcess::CpuTime() const {
  const std::string path = fmt::format("/proc/{}/stat", pid_);
  std::ifstream file(path);
  // See proc(5). The name, in parentheses, may contain spaces; 11 fields follow before the times.
  file.ignore(std::numeric_limits<std::streamsize>::max(), ')');
  std::string skipped;
  for (int i = 0; i < 11; ++i) file >> skipped;
  std::int64_t user = 0, system = 0, children_user = 0, children_system = 0;
  if (!(file >> user >> system >> children_user >> children_system)) {
    return absl::NotFoundError(path + " can't be read");
  }
  const std::int64_t ticks = user + system + children_user + children_system;
  return std::chrono::milliseconds(ticks * 1'000 / sysconf(_SC_CLK_TCK));
}

std::string LastBytesOf(const std::string& path) {
  std::ifstream file(path);
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  return text.size() > 2'000 ? text.substr(text.size() - 2'000) : text;
}

std::string DescribeWaitStatus(int status) {
  if (WIFEXITED(status)) return fmt::format("exited with status {}", WEXITSTATUS(status));
  return fmt::format("ended by signal {}", WTERMSIG(status));
}

}  // namespace ridestream::process
