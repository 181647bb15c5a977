// Takeover of a market: a city under load while the dispatch process that holds the market's lease
// is killed or stopped, again and again, and the standby takes over.

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/process/bin_folder.h"
#include "libs/process/local_services.h"
#include "libs/service/flag_range.h"
#include "libs/service/service.h"
#include "tests/chaos/city_process.h"
#include "tests/chaos/dispatch_pair.h"
#include "tests/chaos/outcomes.h"
#include "tests/chaos/recovery.h"

ABSL_FLAG(std::string, bin, "",
          "Folder of Ridestream's binaries. Empty: the folder of this program");
RIDESTREAM_RANGED_FLAG(uint32_t, takeovers, 10,
                       "How often the holder fails: killed and stopped in turn", 1, 1'000);
RIDESTREAM_RANGED_FLAG(uint32_t, drivers, 300, "Number of drivers", 1, 8'000);
RIDESTREAM_RANGED_FLAG(absl::Duration, max_recovery, absl::Seconds(3),
                       "Longest allowed time from a kill until offers are made again. A busy "
                       "machine, or a build with sanitizers, needs more",
                       absl::Seconds(1), absl::Minutes(10));

namespace ridestream::chaos {
namespace {

constexpr char kUsage[] =
    R"(Runs trip, location, two dispatch processes for one market, and a simulated city whose drivers know
both. Alternately kills (SIGKILL) and stops (SIGSTOP) the process that holds the market's lease. Once
offers are made again, resumes a stopped process, which must end itself, and starts it again as the
standby.

  takeover --takeovers=10 --drivers=300 --clock_rate=10

Exit status: 0 if the audit is clean, each resumed process ended itself, and offers were made again
within --max_recovery after each kill, otherwise 1.)";

using std::chrono::seconds;

constexpr seconds kPatience{60};
/// Longer than a takeover takes; the city is stopped after the last one.
constexpr seconds kLoadPerTakeover{60};

absl::Status TakeOver(DispatchPair& pair, CityProcess& city, std::vector<RecoveryTime>& after_kills,
                      std::vector<RecoveryTime>& after_stops) {
  for (std::uint32_t i = 1; i <= absl::GetFlag(FLAGS_takeovers); ++i) {
    if (absl::Status status = city.AwaitOffer(WallNow(), kPatience, StopAsked); !status.ok()) {
      return status;
    }
    const bool kill = i % 2 == 1;
    const WallTime failed = WallNow();
    if (kill) {
      pair.KillHolder();
    } else {
      pair.StopHolder();
    }
    const auto recovery = city.AwaitRecovery(failed, kPatience, StopAsked);
    if (!recovery.ok()) return recovery.status();
    (kill ? after_kills : after_stops).push_back(*recovery);
    std::printf("%s %2u: offers flowed again after %.2f s\n", kill ? "kill" : "stop", i,
                recovery->count());
    std::fflush(stdout);
    if (absl::Status status = pair.Rejoin(); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<absl::Status>> RunCity(const process::LocalServices& services,
                                                  const std::string& clock_rate) {
  const std::string bin = process::BinFolder(absl::GetFlag(FLAGS_bin));
  auto pair = DispatchPair::Start(bin, services, {clock_rate});
  if (!pair.ok()) return pair.status();
  const auto load = kLoadPerTakeover * (1 + absl::GetFlag(FLAGS_takeovers));
  const auto city =
      CityProcess::Start(bin,
                         {.trip = services.trip(),
                          .location = services.location(),
                          .dispatch = (*pair)->addresses(),
                          .authority = services.authority(),
                          .folder = services.folder()},
                         {clock_rate, fmt::format("--drivers={}", absl::GetFlag(FLAGS_drivers)),
                          fmt::format("--seconds={}", load.count())});
  if (!city.ok()) return city.status();
  std::vector<RecoveryTime> after_kills, after_stops;
  std::vector<absl::Status> outcomes = {TakeOver(**pair, **city, after_kills, after_stops)};
  (*city)->Stop();
  outcomes.push_back((*city)->AwaitEnd(StopAsked));
  PrintRecoveries("stops", after_stops);
  PrintRecoveries("kills", after_kills);
  outcomes.push_back(CheckRecoveries(
      after_kills, RecoveryTime(absl::ToDoubleSeconds(absl::GetFlag(FLAGS_max_recovery)))));
  return outcomes;
}

int Run() {
  const std::string clock_rate = fmt::format("--clock_rate={}", absl::GetFlag(FLAGS_clock_rate));
  const auto services =
      process::LocalServices::Start({.bin = process::BinFolder(absl::GetFlag(FLAGS_bin)),
                                     .trip_flags = {clock_rate},
                                     .location_flags = {clock_rate},
                                     .dispatch = false});
  if (!services.ok()) return service::PrintFailure(services.status());
  const auto outcomes = RunCity(**services, clock_rate);
  const int exit_status =
      outcomes.ok() ? ExitStatusOf(*outcomes) : service::PrintFailure(outcomes.status());
  if (exit_status != 0) {
    (*services)->KeepFolder();
    std::printf("logs are kept in %s\n", (*services)->folder().c_str());
  } else {
    std::puts("the audit is clean");
  }
  return exit_status;
}

}  // namespace
}  // namespace ridestream::chaos

int main(int argc, char** argv) {
  ridestream::service::Initialize(argc, argv, "takeover", ridestream::chaos::kUsage);
  return ridestream::chaos::Run();
}
