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
#include "tests/sim/campaign.h"

ABSL_FLAG(uint64_t, seeds, 1'000, "How many runs, each with a seed of its own");
ABSL_FLAG(uint64_t, from, 1, "The first seed");
ABSL_FLAG(uint64_t, steps, ridestream::sim::RunOptions().steps,
          "Steps of a run while faults strike; then it must come to rest");
ABSL_FLAG(uint64_t, seed, 0, "Runs this one seed instead");
ABSL_FLAG(bool, trace, false, "With --seed: prints everything that happens");
ABSL_FLAG(uint64_t, stop_after_failures, ridestream::sim::CampaignOptions().stop_after_failures,
          "No run begins any more once so many have failed");
ABSL_FLAG(uint32_t, jobs, 0, "Threads; 0 for one a core");
ABSL_FLAG(std::string, json, "", "Writes the result to this file as well");

namespace ridestream::sim {
namespace {

constexpr char kUsage[] = R"(Simulates Ridestream: the cores of trip, dispatch and location among
drivers, riders, a network, a disk and processes that fail. Without sockets and in virtual time; one
seed decides everything. After every step what must hold is checked, and at the end of each run that
everything which was begun came to its end.

  sim --seeds 1000                  prints runs, steps, faults by kind, violations
  sim --seed 17 --trace             the same run again, to the bit, readable

Exit status: 0 no violation; 1 there is one; 2 a flag or a file is wrong.)";

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
                   .print = absl::GetFlag(FLAGS_trace)});
  }
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
  absl::ParseCommandLine(argc, argv);
  spdlog::set_level(spdlog::level::off);  // The shells' logs bear the wall's time: see the trace.
  return ridestream::sim::Main();
}
