#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <string>
#include <thread>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/flags/usage_config.h"
#include "absl/strings/match.h"
#include "tests/sim/campaign.h"

ABSL_FLAG(uint64_t, seeds, 1'000, "Number of runs. Each has its own seed");
ABSL_FLAG(uint64_t, from, 1, "First seed");
ABSL_FLAG(uint64_t, steps, ridestream::sim::RunOptions().steps,
          "Steps of a run during which faults happen. Afterwards the run must come to rest");
ABSL_FLAG(uint64_t, seed, 0, "Run only this seed. 0: run --seeds seeds");
ABSL_FLAG(bool, trace, false, "With --seed: print every event");
ABSL_FLAG(std::string, record, "",
          "With --seed: folder for a record of each life of a dispatch process, for ./ride replay");
ABSL_FLAG(uint64_t, stop_after_failures, ridestream::sim::CampaignOptions().stop_after_failures,
          "Start no further run after this many failures");
ABSL_FLAG(uint32_t, jobs, 0, "Threads. 0: one per core");
ABSL_FLAG(std::string, json, "", "Write the result to this file as well, as JSON");

namespace ridestream::sim {
namespace {

constexpr char kUsage[] =
    R"(Simulates Ridestream in virtual time and without sockets: the product's trip, dispatch and location
code among simulated drivers, riders, networks, disks and processes that fail. One seed decides
everything. The invariants are checked after every step, and at the end of each run every request
must have come to its end.

  sim --seeds 1000                  prints runs, steps, faults by kind, violations
  sim --seed 17 --trace             repeats one run exactly and prints every event

Exit status: 0 without a violation; 1 with one; 2 if a flag or a file is wrong.)";

constexpr int kUsageError = 2;

int Fail(const std::string& message) {
  std::fputs((message + "\n").c_str(), stderr);
  return kUsageError;
}

int RunOne(const RunOptions& options) {
  const RunResult result = Run(options);
  std::fputs(fmt::format("seed {}: {} steps, {} of them with faults, trace {:016x}\n{}\n",
                         result.seed, result.steps, result.steps_with_faults, result.trace_hash,
                         result.ok() ? "no violation" : "VIOLATION  " + result.violation)
                 .c_str(),
             stdout);
  return result.ok() ? 0 : 1;
}

int Main() {
  if (absl::GetFlag(FLAGS_seed) > 0) {
    return RunOne({.seed = absl::GetFlag(FLAGS_seed),
                   .steps = absl::GetFlag(FLAGS_steps),
                   .print = absl::GetFlag(FLAGS_trace),
                   .record = absl::GetFlag(FLAGS_record)});
  }
  if (!absl::GetFlag(FLAGS_record).empty()) return Fail("--record: needs --seed");
  if (absl::GetFlag(FLAGS_trace)) return Fail("--trace: needs --seed");
  std::ofstream json;
  if (const std::string file = absl::GetFlag(FLAGS_json); !file.empty()) {
    json.open(file);
    if (!json) return Fail(fmt::format("--json={}: can't be written", file));
  }
  unsigned jobs = absl::GetFlag(FLAGS_jobs);
  if (jobs == 0) jobs = std::max(1U, std::thread::hardware_concurrency());
  const Campaign campaign =
      RunCampaign({.from = absl::GetFlag(FLAGS_from),
                   .seeds = absl::GetFlag(FLAGS_seeds),
                   .steps = absl::GetFlag(FLAGS_steps),
                   .jobs = jobs,
                   .stop_after_failures = absl::GetFlag(FLAGS_stop_after_failures)});
  std::fputs(ToText(campaign).c_str(), stdout);
  if (json.is_open() && !(json << ToJson(campaign) << "\n").flush()) {
    return Fail("--json: couldn't be written");
  }
  return campaign.failed.empty() ? 0 : 1;
}

}  // namespace
}  // namespace ridestream::sim

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage(ridestream::sim::kUsage);
  absl::FlagsUsageConfig config;
  // By default --help shows the flags of a file that is called as the program.
  config.contains_help_flags = [](absl::string_view file) {
    return absl::StrContains(file, "tests/sim/");
  };
  absl::SetFlagsUsageConfig(config);
  absl::ParseCommandLine(argc, argv);
  spdlog::set_level(spdlog::level::off);  // Logs of adapters have wall-clock time: see the trace.
  return ridestream::sim::Main();
}
