#include "tests/chaos/gated_system.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>

#include <thread>
#include <utility>

#include "libs/process/authority.h"
#include "libs/process/free_port.h"

namespace ridestream::chaos {
namespace {

std::vector<std::string> Joined(std::initializer_list<std::vector<std::string>> lists) {
  std::vector<std::string> all;
  for (const auto& list : lists) all.insert(all.end(), list.begin(), list.end());
  return all;
}

/// For a service whose last start failed.
absl::Status IsDown(const std::string& name) {
  return absl::UnavailableError(fmt::format("{} isn't running: its last start failed", name));
}

}  // namespace

absl::StatusOr<std::unique_ptr<GatedSystem>> GatedSystem::Start(const Options& options) {
  std::unique_ptr<GatedSystem> system(new GatedSystem());
  if (absl::Status status = system->Prepare(options); !status.ok()) return status;
  for (Process& process : system->processes_) {
    MutexLock lock(process.mu);
    if (absl::Status status = system->Launch(process); !status.ok()) return status;
  }
  return system;
}

absl::Status GatedSystem::Prepare(const Options& options) {
  auto folder = process::TemporaryFolder::Make();
  if (!folder.ok()) return folder.status();
  folder_ = *std::move(folder);
  const std::array<const char*, 3> names = {"trip", "location", "dispatch"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    processes_[i].name = names[i];
    processes_[i].binary = fmt::format("{}/{}", options.bin, names[i]);
    processes_[i].address = fmt::format("127.0.0.1:{}", process::FreePort());
  }
  const std::array<Service, 4> behind = {Service::kTrip, Service::kDispatch, Service::kTrip,
                                         Service::kLocation};
  for (std::size_t i = 0; i < gates_.size(); ++i) {
    auto gate = Gate::Open(of(behind[i]).address);
    if (!gate.ok()) return gate.status();
    gates_[i] = *std::move(gate);
  }
  of(Service::kTrip).flags =
      Joined({options.flags, options.trip_flags, {"--data=" + folder_.path()}});
  of(Service::kLocation).flags = Joined({options.flags, options.location_flags});
  of(Service::kDispatch).flags =
      Joined({options.flags,
              options.dispatch_flags,
              {"--trip=" + gate(Link::kDispatchToTrip).address(),
               "--location=" + gate(Link::kDispatchToLocation).address()}});
  insecure_ = options.insecure;
  for (Process& process : processes_) {
    process.flags.push_back("--listen=" + process.address);
    process.flags = Joined({process.flags, process::SecurityFlags(authority(), process.name)});
  }
  if (!insecure_) return process::MakeAuthority(authority());
  return absl::OkStatus();
}

GatedSystem::~GatedSystem() {
  for (const Service service : {Service::kDispatch, Service::kLocation, Service::kTrip}) {
    Process& process = of(service);
    MutexLock lock(process.mu);
    if (process.child != nullptr) process.child->Stop(SIGTERM);
    process.child.reset();
  }
}

absl::Status GatedSystem::Launch(Process& process) {
  auto child = process::ChildProcess::Start(
      {.binary = process.binary,
       .arguments = process.flags,
       .log_path = fmt::format("{}/{}.log", folder_.path(), process.name)});
  if (!child.ok()) return child.status();
  process.child = *std::move(child);
  return process.child->WaitUntilServing().status();
}

absl::Status GatedSystem::Kill(Service service) {
  Process& process = of(service);
  MutexLock lock(process.mu);
  if (process.child == nullptr) return IsDown(process.name);
  const int status = process.child->Stop(SIGKILL);
  if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) {
    return absl::InternalError(
        fmt::format("{} had ended by itself (wait status {:#x})", process.name, status));
  }
  return Launch(process);
}

absl::Status GatedSystem::Restart(Service service) {
  Process& process = of(service);
  MutexLock lock(process.mu);
  return StopAndLaunch(process, process.binary);
}

absl::Status GatedSystem::Replace(Service service, const std::string& bin) {
  Process& process = of(service);
  MutexLock lock(process.mu);
  return StopAndLaunch(process, fmt::format("{}/{}", bin, process.name));
}

absl::Status GatedSystem::StopAndLaunch(Process& process, const std::string& binary) {
  if (process.child != nullptr) {
    const int status = process.child->Stop(SIGTERM);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
      return absl::InternalError(
          fmt::format("{} didn't end well when it was asked to (wait status "
                      "{:#x})",
                      process.name, status));
    }
  }
  process.binary = binary;
  const absl::Status started = Launch(process);
  if (!started.ok()) process.child.reset();
  return started;
}

absl::Status GatedSystem::Freeze(Service service, std::chrono::milliseconds time) {
  Process& process = of(service);
  MutexLock lock(process.mu);
  if (process.child == nullptr) return IsDown(process.name);
  process.child->Signal(SIGSTOP);
  std::this_thread::sleep_for(time);
  process.child->Signal(SIGCONT);
  return absl::OkStatus();
}

absl::StatusOr<std::size_t> GatedSystem::ResidentBytes(Service service) {
  Process& process = of(service);
  MutexLock lock(process.mu);
  if (process.child == nullptr) return IsDown(process.name);
  return process.child->ResidentBytes();
}

}  // namespace ridestream::chaos
