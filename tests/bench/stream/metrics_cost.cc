#include "tests/bench/stream/metrics_cost.h"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <iostream>
#include <thread>
#include <vector>

#include "absl/flags/flag.h"
#include "libs/base/mutex.h"
#include "libs/metrics/testing/scrape.h"
#include "libs/service/flag_range.h"
#include "tests/bench/stream/flood.h"

RIDESTREAM_RANGED_FLAG(int, metrics_rounds, 10,
                       "Rounds of services with metrics and logs at their defaults and services "
                       "without, in turn. More rounds separate a small cost from noise",
                       1, 1'000);

namespace ridestream::bench {
namespace {

using process::LocalServices;

/// Short, so that other work of the machine affects both sides of a comparison.
constexpr std::chrono::seconds kFlood(1);

/// The median of a sample, and bounds that contain the population's median with a probability of at
/// least 95 %, whatever the distribution: the order statistics at n/2 -+ 0.98 sqrt(n) (Conover,
/// Practical Nonparametric Statistics, 3.2; the normal approximation).
struct Estimate {
  double median = 0;
  double low = 0;
  double high = 0;
};
Estimate EstimateMedian(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto n = static_cast<double>(values.size());
  const double reach = 0.98 * std::sqrt(n);
  const double low = std::max(0.0, std::floor(n / 2 - reach));
  const double high = std::min(n - 1, std::ceil(n / 2 + reach));
  return {Median(values), values[static_cast<std::size_t>(low)],
          values[static_cast<std::size_t>(high)]};
}

/// Scrapes all services once a second, more often than Prometheus usually does.
class Scraper {
 public:
  explicit Scraper(const LocalServices& system)
      : thread_([this, &system] {
          MutexLock lock(mu_);
          while (!stopping_) {
            for (const char* service : {"trip", "location", "dispatch"}) {
              const auto scraped = metrics::testing::HttpGet(system.metrics(service), "/metrics");
              if (!scraped.ok()) std::cerr << "scrape: " << scraped.status().ToString() << "\n";
            }
            changed_.WaitFor(mu_, std::chrono::seconds(1));
          }
        }) {}
  ~Scraper() {
    {
      MutexLock lock(mu_);
      stopping_ = true;
      changed_.Signal();
    }
    thread_.join();
  }

 private:
  Mutex mu_;
  CondVar changed_;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

/// CPU time that a process has used, all its threads together; 0 of one that has ended.
std::chrono::nanoseconds CpuTime(const process::ChildProcess& process) {
  clockid_t clock = 0;
  timespec time{};
  if (clock_getcpuclockid(process.pid(), &clock) != 0 || clock_gettime(clock, &time) != 0)
    return {};
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

/// The result of a flood: positions per second, and the CPU time per position of the two services
/// that handle it.
struct Sample {
  double per_second = 0;
  double cpu_us = 0;
};
Sample FloodServices(const LocalServices& system, const std::vector<LatLng>& places) {
  const auto cpu = [&] {
    return CpuTime(system.process("dispatch")) + CpuTime(system.process("location"));
  };
  const auto before = cpu();
  const Flooded flooded = FloodOurs(system, places, kFlood);
  const std::chrono::duration<double, std::micro> took = cpu() - before;
  return {flooded.per_second,
          took.count() / static_cast<double>(std::max<std::uint64_t>(1, flooded.taken))};
}
Sample Mean(const Sample& a, const Sample& b) {
  return {(a.per_second + b.per_second) / 2, (a.cpu_us + b.cpu_us) / 2};
}

void PutCost(const std::string& key, const std::vector<double>& costs, nlohmann::json& figures) {
  const Estimate cost = EstimateMedian(costs);
  figures[key] = cost.median;
  figures[key + "_low"] = cost.low;
  figures[key + "_high"] = cost.high;
}

}  // namespace

absl::Status MeasureMetrics(const std::string& bin, const std::vector<LatLng>& places,
                            nlohmann::json& figures) {
  const std::string unlimited = "--max_positions_per_s=0";
  const std::vector<std::string> off_flags = {"--metrics_listen=off", "--log_level=error"};
  const auto on =
      LocalServices::Start({.bin = bin, .dispatch_flags = {unlimited}, .insecure = true});
  if (!on.ok()) return on.status();
  const auto off = LocalServices::Start({.bin = bin,
                                         .trip_flags = off_flags,
                                         .location_flags = off_flags,
                                         .dispatch_flags = {off_flags[0], off_flags[1], unlimited},
                                         .insecure = true});
  if (!off.ok()) return off.status();
  const auto with = [&] {
    const Scraper scraper(**on);
    return FloodServices(**on, places);
  };
  const auto without = [&] { return FloodServices(**off, places); };

  Print(
      "metrics and logs:  positions/s with   without  ratio   CPU us a position with  without  "
      "ratio");
  std::vector<double> rate_costs, cpu_costs;
  for (int round = 0; round < absl::GetFlag(FLAGS_metrics_rounds); ++round) {
    // With, without, without, with: drift affects both equally.
    const Sample first = with();
    const Sample off_mean = Mean(without(), without());
    const Sample on_mean = Mean(first, with());
    rate_costs.push_back(1 - on_mean.per_second / off_mean.per_second);
    cpu_costs.push_back(on_mean.cpu_us / off_mean.cpu_us - 1);
    Print(
        fmt::format("  round {:<3}         {:>10.0f}{:>10.0f}  {:.3f}                    {:>6.2f}  "
                    " {:>6.2f}  {:.3f}",
                    round + 1, on_mean.per_second, off_mean.per_second, 1 - rate_costs.back(),
                    on_mean.cpu_us, off_mean.cpu_us, 1 + cpu_costs.back()));
  }
  PutCost("metrics.cost", rate_costs, figures);
  PutCost("metrics.cpu_cost", cpu_costs, figures);
  return absl::OkStatus();
}

}  // namespace ridestream::bench
