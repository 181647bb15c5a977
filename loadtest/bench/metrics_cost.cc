#include "loadtest/bench/metrics_cost.h"

#include <fmt/format.h>

#include <chrono>
#include <iostream>
#include <thread>

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
/// A round's first is now one and now the other, so that neither profits from its place.
template <class With, class Without>
Compared InTurn(With with, Without without) {
  std::vector<double> with_rates, without_rates, ratios;
  for (int round = 0; round < absl::GetFlag(FLAGS_metrics_rounds); ++round) {
    const bool first = round % 2 == 0;
    if (first) with_rates.push_back(with());
    without_rates.push_back(without());
    if (!first) with_rates.push_back(with());
    ratios.push_back(with_rates.back() / without_rates.back());
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

/// The rate with metrics and logs as they are by default, scraped meanwhile, beside that without
/// them.
absl::Status MeasureServices(const std::string& bin, const std::vector<LatLng>& places,
                             nlohmann::json& figures) {
  Say("positions/s       metrics     without     ratio");
  const std::vector<std::string> off_flags = {"--metrics_listen=off", "--log_level=error"};
  const auto on = SystemUnderTest::Start({.bin = bin});
  if (!on.ok()) return on.status();
  const auto off = SystemUnderTest::Start({.bin = bin,
                                           .trip_flags = off_flags,
                                           .location_flags = off_flags,
                                           .dispatch_flags = off_flags});
  if (!off.ok()) return off.status();
  const auto with = [&] {
    const Scraper scraper(**on);
    return FloodOurs(**on, places).per_second;
  };
  const auto without = [&] { return FloodOurs(**off, places).per_second; };
  const Compared compared = InTurn(with, without);
  figures["metrics.on_per_s"] = compared.with;
  figures["metrics.off_per_s"] = compared.without;
  figures["metrics.cost"] = 1 - compared.ratio;
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
