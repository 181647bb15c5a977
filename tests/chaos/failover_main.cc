// Failover of the database: a city under load while the PostgreSQL server that takes the writes is
// killed, again and again, and Patroni lets the standby take its place.

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/postgres/testing/patroni_cluster.h"
#include "libs/process/bin_folder.h"
#include "libs/service/flag_range.h"
#include "libs/service/service.h"
#include "tests/chaos/city_process.h"
#include "tests/chaos/gated_system.h"
#include "tests/chaos/outcomes.h"

ABSL_FLAG(std::string, bin, "",
          "Folder of Ridestream's binaries. Empty: the folder of this program");
RIDESTREAM_RANGED_FLAG(uint32_t, kills, 10, "How often the primary is killed", 1, 1'000);
RIDESTREAM_RANGED_FLAG(uint32_t, drivers, 300, "Number of drivers", 1, 50'000);
RIDESTREAM_RANGED_FLAG(absl::Duration, max_recovery, absl::Seconds(10),
                       "Longest allowed time from a kill until offers are made again. A build with "
                       "sanitizers needs more",
                       absl::Seconds(1), absl::Minutes(10));
ABSL_FLAG(std::string, json, "",
          "Write the load generator's report and the figures to this file, as JSON");

namespace ridestream::chaos {
namespace {

constexpr char kUsage[] =
    R"(Runs Ridestream's services and a simulated city over two PostgreSQL servers with synchronous
replication, managed by Patroni and etcd. Kills (SIGKILL) the primary and its Patroni, restarts them
as the standby once offers are made again, and kills again once the standby is synchronous.

  failover --kills=10 --drivers=300 --clock_rate=10

Exit status: 0 if the audit is clean, no answered command was lost, and offers were made again within
--max_recovery after each kill, otherwise 1.)";

using postgres::testing::PatroniCluster;
using std::chrono::seconds;

constexpr seconds kPatience{90};
/// Longer than a kill takes; the city is stopped after the last kill.
constexpr seconds kLoadPerKill{120};

absl::Status KillAgainAndAgain(PatroniCluster& cluster, CityProcess& city,
                               std::vector<RecoveryTime>& recoveries) {
  for (std::uint32_t i = 1; i <= absl::GetFlag(FLAGS_kills); ++i) {
    if (absl::Status status = city.AwaitOffer(WallNow(), kPatience, StopAsked); !status.ok()) {
      return status;
    }
    const WallTime killed = WallNow();
    if (absl::Status status = cluster.KillPrimary(); !status.ok()) return status;
    const absl::StatusOr<RecoveryTime> recovery = city.AwaitRecovery(killed, kPatience, StopAsked);
    if (!recovery.ok()) return recovery.status();
    recoveries.push_back(*recovery);
    if (absl::Status status = cluster.Rejoin(); !status.ok()) return status;
    std::printf("kill %2u: offers flowed again after %.2f s, the standby was back after %.2f s\n",
                i, recovery->count(), RecoveryTime(WallNow() - killed).count());
    std::fflush(stdout);
  }
  return absl::OkStatus();
}

absl::Status WriteJson(const CityProcess& city, const std::vector<RecoveryTime>& recoveries) {
  const std::string path = absl::GetFlag(FLAGS_json);
  if (path.empty()) return absl::OkStatus();
  auto json = city.Report();
  if (!json.ok()) return json.status();
  for (const RecoveryTime& recovery : recoveries) (*json)["recovery_s"].push_back(recovery.count());
  std::ofstream out(path);
  if ((out << json->dump(2) << "\n").flush()) return absl::OkStatus();
  return absl::PermissionDeniedError(fmt::format("--json={}: can't be written", path));
}

int Run() {
  const auto cluster = PatroniCluster::Start();
  if (!cluster.ok()) return service::PrintFailure(cluster.status());
  const std::string clock_rate = fmt::format("--clock_rate={}", absl::GetFlag(FLAGS_clock_rate));
  const auto system =
      GatedSystem::Start({.bin = process::BinFolder(absl::GetFlag(FLAGS_bin)),
                          .flags = {clock_rate},
                          .trip_flags = {"--store=postgres", "--postgres=" + (*cluster)->Url()}});
  if (!system.ok()) return service::PrintFailure(system.status());
  const auto load = kLoadPerKill * (1 + absl::GetFlag(FLAGS_kills));
  const auto city =
      CityProcess::Start(process::BinFolder(absl::GetFlag(FLAGS_bin)), **system,
                         {clock_rate, fmt::format("--drivers={}", absl::GetFlag(FLAGS_drivers)),
                          fmt::format("--seconds={}", load.count())});
  if (!city.ok()) return service::PrintFailure(city.status());

  std::vector<RecoveryTime> recoveries;
  std::vector<absl::Status> outcomes = {KillAgainAndAgain(**cluster, **city, recoveries)};
  (*city)->Stop();
  outcomes.push_back((*city)->AwaitEnd(StopAsked));
  PrintRecoveries("kills", recoveries);
  outcomes.push_back(CheckRecoveries(
      recoveries, RecoveryTime(absl::ToDoubleSeconds(absl::GetFlag(FLAGS_max_recovery)))));
  outcomes.push_back(WriteJson(**city, recoveries));
  const int exit_status = ExitStatusOf(outcomes);
  if (exit_status != 0) {
    (*system)->KeepFolder();
    (*cluster)->KeepFolder();
    std::printf("logs are kept in %s and %s\n", (*system)->folder().c_str(),
                (*cluster)->folder().c_str());
  } else {
    std::puts("the audit is clean");
  }
  return exit_status;
}

}  // namespace
}  // namespace ridestream::chaos

int main(int argc, char** argv) {
  ridestream::service::Initialize(argc, argv, "failover", ridestream::chaos::kUsage);
  return ridestream::chaos::Run();
}
