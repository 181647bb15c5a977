#include "libs/testing/system_under_test.h"

#include <signal.h>
#include <stdlib.h>

#include <filesystem>
#include <vector>

namespace ridestream::testing {

absl::StatusOr<std::unique_ptr<SystemUnderTest>> SystemUnderTest::Start(const Options& options) {
  std::string folder = std::filesystem::temp_directory_path() / "ridestream-XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) return absl::InternalError("can't make " + folder);
  std::unique_ptr<SystemUnderTest> system(new SystemUnderTest());
  system->folder_ = folder;

  const auto start = [&](const std::string& name, std::vector<std::string> arguments,
                         std::unique_ptr<ChildProcess>& process,
                         std::string& address) -> absl::Status {
    arguments.push_back("--listen=127.0.0.1:0");
    auto started =
        ChildProcess::Start(options.bin + "/" + name, arguments, folder + "/" + name + ".log");
    if (!started.ok()) return started.status();
    process = *std::move(started);
    auto serving = process->WaitUntilServing();
    if (!serving.ok()) return serving.status();
    address = *std::move(serving);
    return absl::OkStatus();
  };
  const auto with = [](std::vector<std::string> first, const std::vector<std::string>& more) {
    first.insert(first.end(), more.begin(), more.end());
    return first;
  };
  absl::Status status = start("trip", with({"--data=" + folder}, options.trip_flags), system->trip_,
                              system->trip_address_);
  if (status.ok()) {
    status =
        start("location", options.location_flags, system->location_, system->location_address_);
  }
  if (status.ok()) {
    status =
        start("dispatch",
              with({"--trip=" + system->trip_address_, "--location=" + system->location_address_},
                   options.dispatch_flags),
              system->dispatch_, system->dispatch_address_);
  }
  if (!status.ok()) return status;
  return system;
}

SystemUnderTest::~SystemUnderTest() {
  for (auto* process : {&dispatch_, &location_, &trip_}) {
    if (*process != nullptr) (*process)->Stop(SIGTERM);
    process->reset();
  }
  std::error_code ignored;  // A folder left in /tmp harms nobody.
  std::filesystem::remove_all(folder_, ignored);
}

}  // namespace ridestream::testing
