#include "loadtest/bench/metrics_cost.h"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <memory>
#include <thread>
#include <utility>

#include "absl/flags/flag.h"
#include "libs/base/mutex.h"
#include "libs/metrics/testing/scrape.h"
#include "loadtest/bench/flood.h"

ABSL_FLAG(int, metrics_rounds, 5,
          "Rounds of services with metrics and logs at their defaults, and without, in turn");

namespace ridestream::loadtest {
namespace {

using testing::SystemUnderTest;

/// Medians of rounds in turn: two rates, and what the first is of the second in a round.
struct Compared {
  double with = 0;
  double without = 0;
  double ratio = 0;
};
/// A round is with, without, without, with: whoever runs again right after itself finds the system
/// as it left it, and so does each as often as the other.
template <class With, class Without>
Compared InTurn(With with, Without without) {
  std::vector<double> with_rates, without_rates, ratios;
  for (int round = 0; round < absl::GetFlag(FLAGS_metrics_rounds); ++round) {
    const double first = with();
    const double without_both = without() + without();
    const double with_both = first + with();
    with_rates.push_back(with_both / 2);
    without_rates.push_back(without_both / 2);
    ratios.push_back(with_both / without_both);
    Say(fmt::format("  round {}      {:>10.0f}  {:>10.0f}    {:.3f}", round + 1, with_rates.back(),
                    without_rates.back(), ratios.back()));
  }
  return {Median(with_rates), Median(without_rates), Median(ratios)};
}

/// Scrapes all services once a second, as by a Prometheus that is in a hurry.
class Scraper {
 public:
  explicit Scraper(const SystemUnderTest& system)
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
std::chrono::nanoseconds CpuTime(const testing::ChildProcess& process) {
  clockid_t clock = 0;
  timespec time{};
  if (clock_getcpuclockid(process.pid(), &clock) != 0 || clock_gettime(clock, &time) != 0)
    return {};
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

/// Services under a flood, and the CPU time that the two on a position's way take for one.
struct Flooding {
  std::unique_ptr<SystemUnderTest> system;
  std::vector<double> cpu_us;

  double Flood(const std::vector<LatLng>& places) {
    const auto cpu = [this] {
      return CpuTime(system->dispatch_process()) + CpuTime(system->location_process());
    };
    const auto before = cpu();
    const Flooded flooded = FloodOurs(*system, places);
    const std::chrono::duration<double, std::micro> took = cpu() - before;
    cpu_us.push_back(took.count() / static_cast<double>(std::max<std::uint64_t>(1, flooded.taken)));
    return flooded.per_second;
  }
};

/// The rate with metrics and logs as they are by default, scraped meanwhile, beside that without
/// them; and what a position costs, which tells less of what else the machine does.
absl::Status MeasureServices(const std::string& bin, const std::vector<LatLng>& places,
                             nlohmann::json& figures) {
  Say("positions/s       metrics     without     ratio");
  const std::string unlimited = "--max_positions_per_s=0";
  const std::vector<std::string> off_flags = {"--metrics_listen=off", "--log_level=error"};
  auto on_system = SystemUnderTest::Start({.bin = bin, .dispatch_flags = {unlimited}});
  if (!on_system.ok()) return on_system.status();
  auto off_system =
      SystemUnderTest::Start({.bin = bin,
                              .trip_flags = off_flags,
                              .location_flags = off_flags,
                              .dispatch_flags = {off_flags[0], off_flags[1], unlimited}});
  if (!off_system.ok()) return off_system.status();
  Flooding on{*std::move(on_system), {}};
  Flooding off{*std::move(off_system), {}};
  const auto with = [&] {
    const Scraper scraper(*on.system);
    return on.Flood(places);
  };
  const auto without = [&] { return off.Flood(places); };
  const Compared compared = InTurn(with, without);
  figures["metrics.on_per_s"] = compared.with;
  figures["metrics.off_per_s"] = compared.without;
  figures["metrics.cost"] = 1 - compared.ratio;
  std::vector<double> cpu_ratios;
  for (std::size_t i = 0; i + 1 < on.cpu_us.size(); i += 2) {  // Two of each are a round.
    cpu_ratios.push_back((on.cpu_us[i] + on.cpu_us[i + 1]) / (off.cpu_us[i] + off.cpu_us[i + 1]));
    Say(fmt::format("  CPU, µs      {:>10.2f}  {:>10.2f}    {:.3f}",
                    (on.cpu_us[i] + on.cpu_us[i + 1]) / 2, (off.cpu_us[i] + off.cpu_us[i + 1]) / 2,
                    cpu_ratios.back()));
  }
  figures["metrics.on_cpu_us"] = Median(on.cpu_us);
  figures["metrics.off_cpu_us"] = Median(off.cpu_us);
  figures["metrics.cpu_cost"] = Median(cpu_ratios) - 1;
  return absl::OkStatus();
}

/// What it would cost to observe the drivers' streams by an interceptor, as other calls are: the
/// bare server's rate with one, that does nothing, beside that without.
absl::Status MeasureInterceptor(const std::string& self, const std::vector<LatLng>& places,
                                nlohmann::json& figures) {
  const auto with = StartBareServer(self, /*observe=*/true);
  if (!with.ok()) return with.status();
  const auto without = StartBareServer(self);
  if (!without.ok()) return without.status();
  const auto with_address = (*with)->WaitUntilServing();
  if (!with_address.ok()) return with_address.status();
  const auto without_address = (*without)->WaitUntilServing();
  if (!without_address.ok()) return without_address.status();
  Say("messages/s    interceptor     without     ratio");
  const Compared compared = InTurn([&] { return FloodBare(*with_address, places).per_second; },
                                   [&] { return FloodBare(*without_address, places).per_second; });
  figures["metrics.interceptor_cost"] = 1 - compared.ratio;
  return absl::OkStatus();
}

}  // namespace

absl::Status MeasureMetrics(const std::string& self, const std::string& bin,
                            const std::vector<LatLng>& places, nlohmann::json& figures) {
  absl::Status status = MeasureServices(bin, places, figures);
  return status.ok() ? MeasureInterceptor(self, places, figures) : status;
}

}  // namespace ridestream::loadtest
