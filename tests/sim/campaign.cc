#include "tests/sim/campaign.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>

#include "libs/base/mutex.h"

namespace ridestream::sim {
namespace {

/// Collects results from several threads. Thread-safe.
class Collector {
 public:
  void Add(const RunResult& result) {
    MutexLock lock(mu_);
    ++campaign_.runs;
    campaign_.steps += result.steps;
    for (std::size_t i = 0; i < kFaultCount; ++i) campaign_.faults[i] += result.faults[i];
    for (const auto& [what, count] : result.seen) campaign_.seen[what] += count;
    if (!result.ok()) campaign_.failed.push_back(result);
  }
  std::uint64_t failures() {
    MutexLock lock(mu_);
    return campaign_.failed.size();
  }
  Campaign Take() {
    MutexLock lock(mu_);
    return std::move(campaign_);
  }

 private:
  Mutex mu_;
  Campaign campaign_ ABSL_GUARDED_BY(mu_);
};

}  // namespace

std::uint64_t Campaign::faults_in_all() const {
  std::uint64_t sum = 0;
  for (const std::uint64_t count : faults) sum += count;
  return sum;
}

Campaign RunCampaign(const CampaignOptions& options) {
  const auto began = std::chrono::steady_clock::now();
  Collector collector;
  std::atomic<std::uint64_t> next = options.from;
  const auto work = [&] {
    while (collector.failures() < options.stop_after_failures) {
      const std::uint64_t seed = next++;
      if (seed >= options.from + options.seeds) return;
      collector.Add(Run({.seed = seed, .steps = options.steps}));
    }
  };
  std::vector<std::thread> threads;
  for (unsigned i = 1; i < options.jobs; ++i) threads.emplace_back(work);
  work();
  for (std::thread& thread : threads) thread.join();

  Campaign campaign = collector.Take();
  std::sort(campaign.failed.begin(), campaign.failed.end(),
            [](const RunResult& a, const RunResult& b) { return a.seed < b.seed; });
  for (RunResult& failed : campaign.failed) {
    failed = FindShortest({.seed = failed.seed, .steps = options.steps}, failed);
  }
  campaign.seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  return campaign;
}

std::string ToText(const Campaign& campaign) {
  std::string text = fmt::format("{} runs, {} steps in {:.0f} s\n\n  faults\n", campaign.runs,
                                 campaign.steps, campaign.seconds);
  for (std::size_t i = 0; i < kFaultCount; ++i) {
    text += fmt::format("  {:<26}{:>12}\n", Name(static_cast<Fault>(i)), campaign.faults[i]);
  }
  text += fmt::format("  {:<26}{:>12}\n\n  seen\n", "in all", campaign.faults_in_all());
  for (const auto& [what, count] : campaign.seen) {
    text += fmt::format("  {:<34}{:>12}\n", what, count);
  }
  if (campaign.failed.empty()) return text + "\n  no violation\n";
  text += "\n";
  for (const RunResult& failed : campaign.failed) {
    text += fmt::format("  VIOLATION  --seed {} --steps {} --trace\n             {}\n", failed.seed,
                        failed.steps_with_faults, failed.violation);
  }
  return text;
}

std::string ToJson(const Campaign& campaign) {
  nlohmann::ordered_json faults;
  for (std::size_t i = 0; i < kFaultCount; ++i) {
    faults[std::string(Name(static_cast<Fault>(i)))] = campaign.faults[i];
  }
  nlohmann::ordered_json failed = nlohmann::ordered_json::array();
  for (const RunResult& result : campaign.failed) {
    failed.push_back({{"seed", result.seed},
                      {"steps", result.steps_with_faults},
                      {"violation", result.violation}});
  }
  const nlohmann::ordered_json json = {{"sim",
                                        {{"runs", campaign.runs},
                                         {"steps", campaign.steps},
                                         {"seconds", campaign.seconds},
                                         {"faults", campaign.faults_in_all()},
                                         {"faults_by_kind", faults},
                                         {"seen", campaign.seen},
                                         {"violations", campaign.failed.size()},
                                         {"failed", failed}}}};
  return json.dump(2);
}

}  // namespace ridestream::sim
