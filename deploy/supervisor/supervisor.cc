#include "deploy/supervisor/supervisor.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>

#include <map>
#include <memory>
#include <utility>

#include "absl/strings/ascii.h"

namespace ridestream::supervisor {
namespace {

sigset_t Signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGCHLD}) sigaddset(&signals, signal);
  return signals;
}

std::map<std::string, std::string> EnvironmentOf(const process::LocalServices& services,
                                                 const process::Door* door) {
  std::map<std::string, std::string> environment;
  const std::string authority = services.authority();
  environment[authority.empty() ? "RIDESTREAM_INSECURE" : "RIDESTREAM_AUTHORITY"] =
      authority.empty() ? "true" : authority;
  for (const std::string& name : services.names()) {
    const std::string variable = "RIDESTREAM_" + absl::AsciiStrToUpper(name);
    environment[variable] = services.process(name).Announced("address");
    environment[variable + "_METRICS"] = services.metrics(name);
  }
  if (door != nullptr) {
    for (const char* name : {"RIDESTREAM_TRIP", "RIDESTREAM_DISPATCH"}) {
      environment[name] = door->address();
    }
  }
  return environment;
}

absl::Status CheckServices(const process::LocalServices& services, const process::Door* door) {
  for (const std::string& name : services.Ended()) {
    return absl::UnavailableError(fmt::format("{} ended by itself; its log ends:\n{}", name,
                                              services.process(name).LogEnd()));
  }
  if (door != nullptr && door->process().HasEnded()) {
    return absl::UnavailableError("the door ended by itself; its log ends:\n" +
                                  door->process().LogEnd());
  }
  return absl::OkStatus();
}

int ExitStatus(int wait_status) {
  return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

}  // namespace

void BlockSignals() {
  const sigset_t signals = Signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

absl::StatusOr<int> Supervise(const process::LocalServices& services, const process::Door* door,
                              const std::vector<std::string>& command,
                              const std::map<std::string, std::string>& more) {
  std::unique_ptr<process::ChildProcess> child;
  if (!command.empty()) {
    std::map<std::string, std::string> environment = EnvironmentOf(services, door);
    environment.insert(more.begin(), more.end());
    auto started = process::ChildProcess::Start({.binary = command.front(),
                                                 .arguments = {command.begin() + 1, command.end()},
                                                 .environment = environment});
    if (!started.ok()) return started.status();
    child = *std::move(started);
  }
  const sigset_t signals = Signals();
  absl::Status status;
  int asked_to_stop = 0;
  while (true) {
    if (child != nullptr && child->HasEnded()) {
      const int exit_status = ExitStatus(child->Stop(0));
      if (!status.ok()) return status;
      return exit_status;
    }
    if (status.ok()) status = CheckServices(services, door);
    if (child == nullptr && !status.ok()) return status;
    if (!status.ok() && asked_to_stop++ == 0) child->Signal(SIGTERM);

    int signal = 0;
    sigwait(&signals, &signal);
    if (signal == SIGCHLD) continue;
    if (child == nullptr) return 0;
    child->Signal(asked_to_stop++ < 2 ? SIGTERM : SIGKILL);
  }
}

}  // namespace ridestream::supervisor
