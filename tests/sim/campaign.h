#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/sim/run.h"

namespace ridestream::sim {

struct CampaignOptions {
  std::uint64_t from = 1;
  std::uint64_t seeds = 1'000;
  std::uint64_t steps = RunOptions().steps;
  /// Number of threads; each run uses one thread.
  unsigned jobs = 1;
  /// No further run starts once this many runs have failed.
  std::uint64_t stop_after_failures = 20;
};

/// The results of many runs.
struct Campaign {
  std::uint64_t runs = 0;
  std::uint64_t steps = 0;
  FaultCounts faults{};
  std::map<std::string, std::uint64_t> seen;
  /// In the order of seeds; each failure as its shortest prefix.
  std::vector<RunResult> failed;
  double seconds = 0;

  std::uint64_t faults_in_all() const;
};

/// Runs all seeds.
Campaign RunCampaign(const CampaignOptions& options);

std::string ToText(const Campaign& campaign);
std::string ToJson(const Campaign& campaign);

}  // namespace ridestream::sim
