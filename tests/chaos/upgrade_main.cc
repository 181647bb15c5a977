// Upgrade under load: processes of two versions beside each other, while each service in turn is
// replaced by its newer version, by the older one again, and by the newer one for good.

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/process/bin_folder.h"
#include "libs/service/flag_range.h"
#include "libs/service/service.h"
#include "tests/chaos/city_process.h"
#include "tests/chaos/gated_system.h"
#include "tests/chaos/outcomes.h"

ABSL_FLAG(std::string, bin, "",
          "Folder of the newer version's binaries, and of the load generator. Empty: the folder of "
          "this program");
ABSL_FLAG(std::string, older, "", "Folder of the older version's trip, location and dispatch");
ABSL_FLAG(bool, rollback, true,
          "Replace each newer process by an older one once. Versions whose schemas of the database "
          "differ can't do that with trip");
RIDESTREAM_RANGED_FLAG(uint32_t, drivers, 300, "Number of drivers", 1, 8'000);

namespace ridestream::chaos {
namespace {

constexpr char kUsage[] =
    R"(Runs the older version of trip, location and dispatch under a simulated city. Replaces each service in turn, in
the order of an upgrade, by the newer version, by the older one again, and by the newer one. A process drains
before the next one starts on its port. Waits for new offers after each replacement.

A process that refuses to start, for example since it doesn't know the schema of a newer version's database, is
reported with its reason, and the newer version goes on.

  upgrade --older=build/upgrade/REV/build/release/bin --drivers=300 --clock_rate=10

Exit status: 0 if each process started and drained, the audit is clean, and no rider's call failed after
its retries, otherwise 1.)";

constexpr std::chrono::seconds kPatience{60};
/// More than all replacements take; the city is stopped after the last.
constexpr std::chrono::hours kLoad{1};

/// The called before the callers.
constexpr std::array<std::pair<Service, const char*>, 3> kOrder = {
    {{Service::kTrip, "trip"}, {Service::kLocation, "location"}, {Service::kDispatch, "dispatch"}}};

absl::Status Explain(const absl::Status& status, const std::string& what) {
  if (status.ok()) return status;
  return absl::Status(status.code(), fmt::format("{}: {}", what, std::string(status.message())));
}

/// Replaces the service, and waits until a request that came after that was offered to a driver.
absl::Status Replace(GatedSystem& system, CityProcess& city, Service service,
                     const std::string& bin, const std::string& what) {
  const WallTime began = WallNow();
  absl::Status status = system.Replace(service, bin);
  const WallTime serves = WallNow();
  if (status.ok()) status = city.AwaitOffer(serves, kPatience, StopAsked);
  if (!status.ok()) return Explain(status, what);
  std::printf("%-24s serves after %.2f s, and offers are made\n", what.c_str(),
              std::chrono::duration<double>(serves - began).count());
  std::fflush(stdout);
  return absl::OkStatus();
}

/// Goes on when an older version doesn't start; that is one of the outcomes.
std::vector<absl::Status> ReplaceAll(GatedSystem& system, CityProcess& city,
                                     const std::string& older, const std::string& newer) {
  std::vector<absl::Status> outcomes;
  for (const auto& [service, name] : kOrder) {
    const std::string forward = fmt::format("{}, newer version", name);
    outcomes.push_back(Replace(system, city, service, newer, forward));
    if (!outcomes.back().ok()) return outcomes;
    if (!absl::GetFlag(FLAGS_rollback)) continue;
    outcomes.push_back(
        Replace(system, city, service, older, fmt::format("{}, older version", name)));
    outcomes.push_back(Replace(system, city, service, newer, forward));
    if (!outcomes.back().ok()) return outcomes;
  }
  return outcomes;
}

absl::Status CheckReport(const CityProcess& city) {
  const auto report = city.Report();
  if (!report.ok()) return report.status();
  const auto refused = report->at("refused").get<std::uint64_t>();
  const auto unanswered = report->at("unanswered").get<std::uint64_t>();
  std::printf("%llu calls made again, %llu requests refused, %llu unanswered, %llu sessions lost\n",
              report->at("calls_retried").get<unsigned long long>(),
              static_cast<unsigned long long>(refused), static_cast<unsigned long long>(unanswered),
              report->at("sessions_lost").get<unsigned long long>());
  if (refused + unanswered == 0) return absl::OkStatus();
  return absl::DataLossError("calls of riders failed after their retries");
}

absl::StatusOr<std::vector<absl::Status>> RunUpgrade(GatedSystem& system, const std::string& older,
                                                     const std::string& newer,
                                                     const std::string& clock_rate) {
  const auto city = CityProcess::Start(
      newer, system,
      {clock_rate, fmt::format("--drivers={}", absl::GetFlag(FLAGS_drivers)),
       fmt::format("--seconds={}", std::chrono::seconds(kLoad).count()), "--drain_seconds=60"});
  if (!city.ok()) return city.status();
  std::vector<absl::Status> outcomes = {
      Explain((*city)->AwaitOffer(WallTime(), kPatience, StopAsked), "older versions")};
  if (outcomes[0].ok()) outcomes = ReplaceAll(system, **city, older, newer);
  (*city)->Stop();
  outcomes.push_back((*city)->AwaitEnd(StopAsked));
  outcomes.push_back(CheckReport(**city));
  return outcomes;
}

int Run() {
  const std::string older = absl::GetFlag(FLAGS_older);
  if (older.empty()) {
    return service::PrintFailure(
        absl::InvalidArgumentError("--older must name the folder of the older version's binaries"));
  }
  const std::string newer = process::BinFolder(absl::GetFlag(FLAGS_bin));
  const std::string clock_rate = fmt::format("--clock_rate={}", absl::GetFlag(FLAGS_clock_rate));
  const auto system = GatedSystem::Start({.bin = older, .flags = {clock_rate}});
  if (!system.ok()) return service::PrintFailure(Explain(system.status(), "older versions"));
  const auto outcomes = RunUpgrade(**system, older, newer, clock_rate);
  const int exit_status =
      outcomes.ok() ? ExitStatusOf(*outcomes) : service::PrintFailure(outcomes.status());
  if (exit_status != 0) {
    (*system)->KeepFolder();
    std::printf("logs are kept in %s\n", (*system)->folder().c_str());
  } else {
    std::puts("the audit is clean, and no call failed");
  }
  return exit_status;
}

}  // namespace
}  // namespace ridestream::chaos

int main(int argc, char** argv) {
  ridestream::service::Initialize(argc, argv, "upgrade", ridestream::chaos::kUsage);
  return ridestream::chaos::Run();
}
