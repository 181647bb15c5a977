#include "libs/process/local_services.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "libs/process/authority.h"

namespace ridestream::process {
namespace {

constexpr std::chrono::seconds kMaxDrain{30};
constexpr std::chrono::milliseconds kDrainPollEvery{10};

/// Stops a process, by force after `time`. Returns its wait status.
int StopWithin(ChildProcess& process, std::chrono::seconds time) {
  process.Signal(SIGTERM);
  const auto end = std::chrono::steady_clock::now() + time;
  while (!process.HasEnded() && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(kDrainPollEvery);
  }
  return process.Stop(process.HasEnded() ? 0 : SIGKILL);
}

}  // namespace

absl::StatusOr<std::unique_ptr<LocalServices>> LocalServices::Start(const Options& options) {
  auto folder = TemporaryFolder::Make();
  if (!folder.ok()) return folder.status();
  std::unique_ptr<LocalServices> services(new LocalServices());
  services->folder_ = *std::move(folder);
  if (absl::Status status = services->Launch(options); !status.ok()) return status;
  return services;
}

absl::Status LocalServices::Launch(const Options& options) {
  const std::string data = options.data.empty() ? folder() : options.data;
  absl::Status status;
  if (!options.insecure) {
    authority_ = options.authority;
    if (authority_.empty()) {
      authority_ = folder() + "/authority";
      status = MakeAuthority(authority_);
    }
  }
  if (status.ok()) status = Launch(options, "trip", {"--data=" + data}, options.trip_flags);
  if (status.ok()) status = Launch(options, "location", {}, options.location_flags);
  if (status.ok() && options.dispatch) {
    status = Launch(options, "dispatch", {"--trip=" + trip(), "--location=" + location()},
                    options.dispatch_flags);
  }
  if (status.ok() && options.gateway) {
    status = Launch(options, "gateway",
                    {"--trip=" + trip(), "--location=" + location(), "--dispatch=" + dispatch(),
                     "--sign_in_authority=" + authority()},
                    options.gateway_flags);
  }
  return status;
}

absl::Status LocalServices::Launch(const Options& options, const std::string& name,
                                   std::vector<std::string> defaults,
                                   const std::vector<std::string>& flags) {
  defaults.push_back("--listen=127.0.0.1:0");
  const std::vector<std::string> security = SecurityFlags(authority(), name);
  defaults.insert(defaults.end(), security.begin(), security.end());
  // The last value of a repeated flag wins.
  defaults.insert(defaults.end(), flags.begin(), flags.end());
  const auto environment = options.environment.find(name);
  auto process = ChildProcess::Start({.binary = fmt::format("{}/{}", options.bin, name),
                                      .arguments = std::move(defaults),
                                      .log_path = fmt::format("{}/{}.log", folder(), name),
                                      .environment = environment == options.environment.end()
                                                         ? std::map<std::string, std::string>()
                                                         : environment->second});
  if (!process.ok()) return process.status();
  names_.push_back(name);
  processes_[name] = *std::move(process);
  const absl::Status status = processes_[name]->WaitUntilServing().status();
  if (status.ok()) return status;
  return absl::Status(status.code(), fmt::format("{}: {}", name, std::string(status.message())));
}

LocalServices::~LocalServices() {
  // Stop reports services that didn't drain; here there is nobody to report to.
  (void)Stop();
}

std::string LocalServices::metrics(const std::string& service) const {
  return process(service).Announced("metrics");
}

std::string LocalServices::AddressOf(const std::string& service) const {
  return process(service).Announced("address");
}

std::vector<std::string> LocalServices::Ended() const {
  std::vector<std::string> ended;
  for (const std::string& name : names_) {
    if (process(name).HasEnded()) ended.push_back(name);
  }
  return ended;
}

absl::Status LocalServices::Stop() {
  std::string failures;
  while (!names_.empty()) {
    const std::string name = std::move(names_.back());
    names_.pop_back();
    const int status = StopWithin(*processes_[name], kMaxDrain);
    processes_.erase(name);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) continue;
    failures += fmt::format("{}{} {}; end of its log:\n{}", failures.empty() ? "" : "\n", name,
                            DescribeWaitStatus(status),
                            LastBytesOf(fmt::format("{}/{}.log", folder(), name)));
  }
  return failures.empty() ? absl::OkStatus() : absl::InternalError(failures);
}

}  // namespace ridestream::process
