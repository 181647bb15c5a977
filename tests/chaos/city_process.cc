#include "tests/chaos/city_process.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <thread>
#include <utility>

#include "libs/process/authority.h"

namespace ridestream::chaos {
namespace {

using Wall = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLookEvery{50};

std::string OffersPath(const std::string& folder) { return folder + "/offers.csv"; }
std::string ReportPath(const std::string& folder) { return folder + "/city.json"; }

}  // namespace

absl::StatusOr<std::unique_ptr<CityProcess>> CityProcess::Start(
    const std::string& bin, const GatedSystem& system, const std::vector<std::string>& flags) {
  return Start(bin,
               System{.trip = system.trip(),
                      .location = system.location(),
                      .dispatch = system.dispatch(),
                      .authority = system.authority(),
                      .folder = system.folder()},
               flags);
}

absl::StatusOr<std::unique_ptr<CityProcess>> CityProcess::Start(
    const std::string& bin, const System& system, const std::vector<std::string>& flags) {
  const std::string& folder = system.folder;
  std::filesystem::remove(OffersPath(folder));  // From an earlier city.
  std::vector<std::string> all = {"--trip=" + system.trip,
                                  "--location=" + system.location,
                                  "--dispatch=" + system.dispatch,
                                  "--offers=" + OffersPath(folder),
                                  "--json=" + ReportPath(folder),
                                  "--progress=none",
                                  process::LoadtestSecurityFlag(system.authority)};
  all.insert(all.end(), flags.begin(), flags.end());
  auto process = process::ChildProcess::Start(
      {.binary = bin + "/loadtest", .arguments = all, .log_path = folder + "/loadtest.log"});
  if (!process.ok()) return process.status();
  return std::unique_ptr<CityProcess>(new CityProcess(*std::move(process), folder));
}

CityProcess::CityProcess(std::unique_ptr<process::ChildProcess> process, const std::string& folder)
    : process_(std::move(process)),
      offers_path_(OffersPath(folder)),
      report_path_(ReportPath(folder)) {}

absl::Status CityProcess::AwaitOffer(WallTime since, std::chrono::seconds timeout,
                                     const Stopped& stopped) {
  const auto end = Wall::now() + timeout;
  while (true) {
    const auto offers = Offers();
    if (offers.ok() && std::any_of(offers->begin(), offers->end(),
                                   [&](const FirstOffer& offer) { return offer.due >= since; })) {
      return absl::OkStatus();
    }
    if (HasEnded()) return absl::UnavailableError("the load generator ended: " + LogEnd());
    if (Wall::now() > end) {
      return absl::DeadlineExceededError(
          fmt::format("no offer within {} s: {}", timeout.count(), LogEnd()));
    }
    if (stopped()) return absl::CancelledError("stopped");
    std::this_thread::sleep_for(kLookEvery);  // Files don't notify about changes.
  }
}

absl::StatusOr<RecoveryTime> CityProcess::AwaitRecovery(WallTime since,
                                                        std::chrono::seconds timeout,
                                                        const Stopped& stopped) {
  if (absl::Status status = AwaitOffer(since, timeout, stopped); !status.ok()) return status;
  const auto offers = Offers();
  if (!offers.ok()) return offers.status();
  WallTime first = WallTime::max();
  for (const FirstOffer& offer : *offers) {
    if (offer.due >= since) first = std::min(first, offer.offered);
  }
  return first - since;
}

absl::Status CityProcess::AwaitEnd(const Stopped& stopped) {
  bool reported = false;
  while (!HasEnded()) {
    if (!reported && stopped()) {
      reported = true;
      Stop();
    }
    std::this_thread::sleep_for(kLookEvery);
  }
  const int status = process_->Stop(0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return absl::OkStatus();
  return absl::DataLossError(
      fmt::format("the load generator ended with wait status {:#x}: {}", status, LogEnd()));
}

void CityProcess::Stop() { process_->Signal(SIGTERM); }

absl::StatusOr<nlohmann::ordered_json> CityProcess::Report() const {
  std::ifstream file(report_path_);
  nlohmann::ordered_json report = nlohmann::ordered_json::parse(file, nullptr, false);
  if (report.is_discarded()) return absl::DataLossError("the load generator wrote no report");
  return report;
}

}  // namespace ridestream::chaos
