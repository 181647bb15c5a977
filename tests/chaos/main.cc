// Chaos: a city under load while its services are killed, frozen and restarted and its connections
// are cut, silenced and slowed down. Ends with the recovery times and the auditor's verdict.

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/process/bin_folder.h"
#include "libs/service/flag_range.h"
#include "libs/service/service.h"
#include "tests/chaos/chaos_report.h"
#include "tests/chaos/city_process.h"
#include "tests/chaos/gated_system.h"
#include "tests/chaos/havoc.h"
#include "tests/chaos/outcomes.h"
#include "tests/chaos/recovery.h"
#include "tests/chaos/schedule.h"

ABSL_FLAG(std::string, bin, "",
          "Folder of Ridestream's binaries. Empty: the folder of this program");
RIDESTREAM_RANGED_FLAG(int, seconds, 120, "Length of the schedule of faults, in wall-clock seconds",
                       4, 86'400);
RIDESTREAM_RANGED_FLAG(int, drivers, 1000, "Number of drivers", 1, 50'000);
ABSL_FLAG(uint64_t, seed, 1, "Seed of the schedule and of all random numbers in the city");
RIDESTREAM_RANGED_FLAG(absl::Duration, max_kill_recovery, absl::Seconds(5),
                       "Longest allowed time from a kill until offers are made again. A build with "
                       "sanitizers needs more",
                       absl::Seconds(1), absl::Hours(1));
ABSL_FLAG(std::string, json, "", "Write the report to this file, as JSON");

namespace ridestream::chaos {
namespace {

constexpr char kUsage[] =
    R"(Runs Ridestream's services and a simulated city, and injects faults by a seeded schedule, at least
one every 4 s. Services are killed (SIGKILL), restarted (SIGTERM) and frozen (SIGSTOP). Connections
are cut, silenced, delayed and throttled.

  chaos --seconds=120 --drivers=1000 --clock_rate=10 --json=chaos.json

Exit status: 0 if the audit is clean, every service ended as expected, and offers were made again
after each fault (after a kill within --max_kill_recovery), otherwise 1.)";

using std::chrono::seconds;
using Wall = std::chrono::steady_clock;

// The load continues for this long after the last event, so that the last recovery is seen.
constexpr seconds kQuiet{15};
constexpr seconds kFirstOfferWithin{90};

std::vector<std::string> CityFlags() {
  const auto load = seconds(absl::GetFlag(FLAGS_seconds)) + kQuiet;
  return {fmt::format("--clock_rate={}", absl::GetFlag(FLAGS_clock_rate)),
          fmt::format("--drivers={}", absl::GetFlag(FLAGS_drivers)),
          fmt::format("--seconds={}", load.count()),
          fmt::format("--seed={}", absl::GetFlag(FLAGS_seed))};
}

void Print(Wall::time_point began, const Event& event) {
  const std::chrono::duration<double> at = Wall::now() - began;
  std::string line =
      fmt::format("{:7.1f} s  {:<10}{}", at.count(), Name(event.deed), Name(event.target));
  if (event.lasts.count() > 0) {
    line += fmt::format(", {:.1f} s", std::chrono::duration<double>(event.lasts).count());
  }
  std::puts(line.c_str());
  std::fflush(stdout);
}

/// Carries out the schedule, unless a stop signal comes or the city ends.
absl::Status WreakHavoc(Havoc& havoc, Wall::time_point began, const CityProcess& city) {
  for (const Event& event :
       MakeSchedule(absl::GetFlag(FLAGS_seed), seconds(absl::GetFlag(FLAGS_seconds)))) {
    const auto wait = began + event.at - Wall::now();
    if (!service::WaitForStopSignal(wait).empty()) return absl::CancelledError("stopped");
    if (city.HasEnded()) return absl::UnavailableError("the load generator ended");
    havoc.Begin(event);
  }
  return absl::OkStatus();
}

absl::Status CheckRecovery(const ChaosReport& report) {
  const RecoveryTimes all = report.Of(std::nullopt);
  if (all.count == 0) return absl::InternalError("nothing happened");
  if (all.never > 0) {
    return absl::DataLossError(fmt::format("no more offers after {} events", all.never));
  }
  const double slowest = report.Of(Deed::kKill).max.count();
  if (slowest > absl::ToDoubleSeconds(absl::GetFlag(FLAGS_max_kill_recovery))) {
    return absl::DeadlineExceededError(
        fmt::format("recovery from a kill took {:.2f} s, more than --max_kill_recovery", slowest));
  }
  return absl::OkStatus();
}

absl::Status WriteJson(const ChaosReport& report, const CityProcess& city) {
  const std::string path = absl::GetFlag(FLAGS_json);
  if (path.empty()) return absl::OkStatus();
  auto json = city.Report();
  if (!json.ok()) return json.status();
  report.AddTo(*json);
  std::ofstream out(path);
  if ((out << json->dump(2) << "\n").flush()) return absl::OkStatus();
  return absl::PermissionDeniedError(fmt::format("--json={}: can't be written", path));
}

int Run() {
  auto system = GatedSystem::Start(
      {.bin = process::BinFolder(absl::GetFlag(FLAGS_bin)),
       .flags = {fmt::format("--clock_rate={}", absl::GetFlag(FLAGS_clock_rate))}});
  if (!system.ok()) return service::PrintFailure(system.status());
  const auto city =
      CityProcess::Start(process::BinFolder(absl::GetFlag(FLAGS_bin)), **system, CityFlags());
  if (!city.ok()) return service::PrintFailure(city.status());
  // The city works when the first offer has been made.
  absl::Status alive = (*city)->AwaitOffer(WallTime(), kFirstOfferWithin, StopAsked);
  if (!alive.ok()) return service::PrintFailure(alive);

  const auto began = Wall::now();
  Havoc havoc(**system, [began](const Event& event) { Print(began, event); });
  std::vector<absl::Status> outcomes = {WreakHavoc(havoc, began, **city)};
  havoc.Wait();
  if (!outcomes.front().ok()) (*city)->Stop();
  outcomes.push_back((*city)->AwaitEnd(StopAsked));
  for (const absl::Status& failure : havoc.failures()) outcomes.push_back(failure);

  const auto offers = (*city)->Offers();
  if (!offers.ok()) return service::PrintFailure(offers.status());
  const std::vector<Occurrence> occurrences = havoc.occurrences();
  const ChaosReport report(occurrences, Recoveries(occurrences, *offers));
  std::fputs(report.ToText().c_str(), stdout);
  outcomes.push_back(CheckRecovery(report));
  outcomes.push_back(WriteJson(report, **city));
  const int exit_status = ExitStatusOf(outcomes);
  if (exit_status != 0) {
    (*system)->KeepFolder();
    std::printf("logs and trips are kept in %s\n", (*system)->folder().c_str());
  }
  return exit_status;
}

}  // namespace
}  // namespace ridestream::chaos

int main(int argc, char** argv) {
  ridestream::service::Initialize(argc, argv, "chaos", ridestream::chaos::kUsage);
  return ridestream::chaos::Run();
}
