#include "tests/bench/scale/scale_system.h"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "libs/metrics/testing/scrape.h"
#include "libs/process/authority.h"
#include "libs/process/child_process.h"
#include "libs/process/local_services.h"
#include "libs/service/service.h"

namespace ridestream::bench {
namespace {

using process::ChildProcess;
using std::chrono::seconds;
using Wall = std::chrono::steady_clock;

constexpr seconds kReportEvery{4};
constexpr seconds kOfferWithin{60};
/// The load generator's own phases after SIGTERM, and the audit.
constexpr seconds kEndWithin{180};
constexpr std::chrono::milliseconds kLookEvery{200};
constexpr seconds kLongerThanAnyRun{7 * 86'400};

double ToSeconds(Wall::duration time) { return std::chrono::duration<double>(time).count(); }
double Mebibytes(std::size_t bytes) { return static_cast<double>(bytes) / (1 << 20); }

class ScaleRun {
 public:
  explicit ScaleRun(const ScaleOptions& options) : options_(options) {}

  absl::StatusOr<Measured> Measure() {
    result_.drivers = options_.drivers;
    result_.markets = options_.markets;
    result_.reports_per_s = static_cast<double>(options_.drivers) / kReportEvery.count();
    absl::Status status = StartServices();
    if (status.ok()) status = CheckLibrary();
    if (status.ok()) status = StartGenerators();
    if (status.ok()) status = AwaitDrivers();
    if (status.ok()) status = AwaitOffers();
    if (status.ok()) status = MeasureLoad();
    if (status.ok()) status = EndLoad();
    if (!status.ok()) return status;
    return result_;
  }

 private:
  struct Member {
    std::string kind;
    const ChildProcess* process;
    std::size_t bytes_before = 0;
    std::chrono::milliseconds cpu_before{0};
  };

  static std::string Market(int number) { return fmt::format("market-{}", number); }
  static std::string WithStreets(int number) {
    return fmt::format("{}=city:{}", Market(number), number);
  }
  int DriversOf(int market) const {
    return options_.drivers / options_.markets + (market <= options_.drivers % options_.markets);
  }
  std::string File(const std::string& name) const { return services_->folder() + "/" + name; }
  std::string ReportOf(int market) const { return File(fmt::format("report-{}.json", market)); }

  absl::Status StartServices() {
    std::map<std::string, std::string> environment;
    if (!options_.grpc_folder.empty()) environment["LD_LIBRARY_PATH"] = options_.grpc_folder;
    environment_ = environment;
    std::string markets;
    for (int market = 1; market <= options_.markets; ++market) {
      markets += (markets.empty() ? "" : ",") + WithStreets(market);
    }
    auto services = process::LocalServices::Start(
        {.bin = options_.bin,
         .trip_flags = {"--markets=" + markets},
         .location_flags = {fmt::format("--max_markets={}", options_.markets)},
         .dispatch = false,
         .environment = {{"trip", environment_}, {"location", environment_}},
         .insecure = options_.insecure});
    if (!services.ok()) return services.status();
    services_ = *std::move(services);
    for (const char* name : {"trip", "location"}) AddMember(name, services_->process(name));
    for (int market = 1; market <= options_.markets; ++market) {
      std::vector<std::string> flags = process::SecurityFlags(services_->authority(), "dispatch");
      flags.insert(flags.end(),
                   {"--listen=127.0.0.1:0", "--trip=" + services_->trip(),
                    "--location=" + services_->location(), "--markets=" + WithStreets(market),
                    fmt::format("--report_every={}s", kReportEvery.count()),
                    fmt::format("--max_sessions={}", 2 * DriversOf(market))});
      absl::Status status = Launch("dispatch", market, std::move(flags), dispatches_);
      if (status.ok()) status = dispatches_.back()->WaitUntilServing().status();
      if (!status.ok()) return status;
      AddMember("dispatch", *dispatches_.back());
    }
    return absl::OkStatus();
  }

  /// All dispatch processes must have loaded the same library.
  absl::Status CheckLibrary() {
    for (const auto& dispatch : dispatches_) {
      const std::string grpc = dispatch->Announced("grpc");
      if (result_.grpc.empty()) result_.grpc = grpc;
      if (grpc != result_.grpc) {
        return absl::InternalError(
            fmt::format("two dispatch processes have loaded different libraries: gRPC {} and {}",
                        result_.grpc, grpc));
      }
    }
    return absl::OkStatus();
  }

  absl::Status StartGenerators() {
    for (int market = 1; market <= options_.markets; ++market) {
      const std::string& dispatch =
          dispatches_[static_cast<std::size_t>(market) - 1]->Announced("address");
      const int drivers = DriversOf(market);
      std::vector<std::string> flags = {
          "--trip=" + services_->trip(),
          "--location=" + services_->location(),
          "--dispatch=" + dispatch,
          process::LoadtestSecurityFlag(services_->authority()),
          "--market=" + Market(market),
          fmt::format("--roads=city:{}", market),
          fmt::format("--drivers={}", drivers),
          fmt::format("--requests_per_hour={}", options_.requests_per_driver_hour * drivers),
          fmt::format("--connect_seconds={}", options_.connect_within.count()),
          fmt::format("--seconds={}", kLongerThanAnyRun.count()),
          "--drain_seconds=0",
          fmt::format("--seed={}", market),
          "--progress=none",
          "--json=" + ReportOf(market)};
      absl::Status status = Launch("loadtest", market, std::move(flags), generators_);
      if (!status.ok()) return status;
      AddMember("generator", *generators_.back());
    }
    return absl::OkStatus();
  }

  absl::Status Launch(const std::string& binary, int market, std::vector<std::string> flags,
                      std::vector<std::unique_ptr<ChildProcess>>& to) {
    const std::string log = File(fmt::format("{}-{}", binary, market));
    auto process = ChildProcess::Start({.binary = fmt::format("{}/{}", options_.bin, binary),
                                        .arguments = std::move(flags),
                                        .log_path = log + ".log",
                                        .stdout_path = log + ".out",
                                        .environment = environment_});
    if (!process.ok()) return process.status();
    to.push_back(*std::move(process));
    return absl::OkStatus();
  }

  void AddMember(const std::string& kind, const ChildProcess& process) {
    members_.push_back({kind, &process, process.ResidentBytes().value_or(0)});
  }

  /// Waits until `done` says so or for `longest`. Returns false for the latter; CANCELLED when a
  /// stop signal comes, UNAVAILABLE when a process ends.
  absl::StatusOr<bool> Await(seconds longest, const std::function<absl::StatusOr<bool>()>& done) {
    const auto end = Wall::now() + longest;
    while (true) {
      const auto is_done = done();
      if (is_done.ok() && *is_done) return true;
      // Checked first, because it may be why `done` failed.
      for (const Member& member : members_) {
        if (!member.process->HasEnded()) continue;
        return absl::UnavailableError(
            fmt::format("{} ended: {}", member.kind, member.process->LogEnd()));
      }
      if (!is_done.ok()) return is_done.status();
      if (Wall::now() >= end) return false;
      if (!service::WaitForStopSignal(kLookEvery).empty()) return absl::CancelledError("stopped");
    }
  }

  /// Tries again, because a service that has too little CPU time for all its drivers may close a
  /// scraper's connection.
  static absl::StatusOr<metrics::testing::Metrics> Scrape(const std::string& address) {
    constexpr int kTries = 3;
    auto metrics = metrics::testing::ScrapeMetrics(address);
    for (int tries = 1; tries < kTries && !metrics.ok(); ++tries) {
      metrics = metrics::testing::ScrapeMetrics(address);
    }
    return metrics;
  }

  /// The sum of the metric in all dispatch processes.
  absl::StatusOr<double> SumInDispatch(const std::string& metric) const {
    double sum = 0;
    for (const auto& dispatch : dispatches_) {
      const auto metrics = Scrape(dispatch->Announced("metrics"));
      if (!metrics.ok()) return metrics.status();
      sum += metrics::testing::Sum(*metrics, metric);
    }
    return sum;
  }

  absl::Status AwaitDrivers() {
    const auto begin = Wall::now();
    const auto all = Await(options_.connect_within, [this]() -> absl::StatusOr<bool> {
      const auto sessions = SumInDispatch("dispatch_sessions");
      if (!sessions.ok()) return sessions.status();
      result_.connected = static_cast<int>(*sessions);
      return result_.connected >= options_.drivers;
    });
    result_.connect_s = ToSeconds(Wall::now() - begin);
    return all.status();
  }

  /// The row of a machine that is too slow to make any shows none.
  absl::Status AwaitOffers() {
    return Await(kOfferWithin,
                 [this]() -> absl::StatusOr<bool> {
                   for (const auto& dispatch : dispatches_) {
                     const auto metrics = Scrape(dispatch->Announced("metrics"));
                     if (!metrics.ok()) return metrics.status();
                     if (metrics::testing::Sum(*metrics, "dispatch_offers_made_total") == 0)
                       return false;
                   }
                   return true;
                 })
        .status();
  }

  absl::StatusOr<double> AppliedPositions() const {
    const auto metrics = Scrape(services_->metrics("location"));
    if (!metrics.ok()) return metrics.status();
    return metrics::testing::Sum(*metrics, "location_positions_total", {{"outcome", "applied"}});
  }

  absl::Status MeasureLoad() {
    const auto positions_before = AppliedPositions();
    if (!positions_before.ok()) return positions_before.status();
    const auto begin = Wall::now();
    for (Member& member : members_) {
      const auto cpu = member.process->CpuTime();
      if (!cpu.ok()) return cpu.status();
      member.cpu_before = *cpu;
    }
    const auto waited = Await(options_.length, [] { return false; });
    if (!waited.ok()) return waited.status();
    const auto positions_after = AppliedPositions();
    if (!positions_after.ok()) return positions_after.status();
    result_.seconds = ToSeconds(Wall::now() - begin);
    result_.positions_per_s = (*positions_after - *positions_before) / result_.seconds;
    // Before more is scraped, which may take long.
    for (const Member& member : members_) {
      if (absl::Status status = AddUse(member); !status.ok()) return status;
    }
    const auto sessions = SumInDispatch("dispatch_sessions");
    if (!sessions.ok()) return sessions.status();
    result_.connected = static_cast<int>(*sessions);
    return absl::OkStatus();
  }

  absl::Status AddUse(const Member& member) {
    const auto cpu = member.process->CpuTime();
    if (!cpu.ok()) return cpu.status();
    const auto bytes = member.process->ResidentBytes();
    if (!bytes.ok()) return bytes.status();
    auto use = std::find_if(result_.processes.begin(), result_.processes.end(),
                            [&](const ProcessUse& known) { return known.kind == member.kind; });
    if (use == result_.processes.end()) {
      result_.processes.push_back({.kind = member.kind});
      use = std::prev(result_.processes.end());
    }
    const double cores = ToSeconds(*cpu - member.cpu_before) / result_.seconds;
    ++use->processes;
    use->cores += cores;
    use->max_cores = std::max(use->max_cores, cores);
    use->mib += Mebibytes(*bytes);
    use->grown_mib += Mebibytes(*bytes) - Mebibytes(member.bytes_before);
    return absl::OkStatus();
  }

  absl::Status EndLoad() {
    for (const auto& generator : generators_) generator->Signal(SIGTERM);
    std::erase_if(members_, [](const Member& member) { return member.kind == "generator"; });
    const auto ended = Await(kEndWithin, [this] {
      return std::all_of(generators_.begin(), generators_.end(),
                         [](const auto& generator) { return generator->HasEnded(); });
    });
    if (!ended.ok()) return ended.status();
    result_.is_audited = *ended;
    for (int market = 1; market <= options_.markets && *ended; ++market) {
      if (absl::Status status = AddReport(market); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

  absl::Status AddReport(int market) {
    std::ifstream file(ReportOf(market));
    const nlohmann::json report = nlohmann::json::parse(file, nullptr, false);
    if (report.is_discarded()) {
      return absl::DataLossError(
          fmt::format("the load generator of {} wrote no report: {}", Market(market),
                      generators_[static_cast<std::size_t>(market) - 1]->LogEnd()));
    }
    const auto& latencies = report.at("latency_ms");
    AddLatency(latencies.at("offer_push"), result_.offer_push);
    AddLatency(latencies.at("plan_push"), result_.plan_push);
    AddLatency(latencies.at("request_to_offer"), result_.request_to_offer);
    for (const auto& [check, count] : report.at("audit").at("checks").items()) {
      const auto looked_at = count.at("looked_at").get<std::uint64_t>();
      result_.looked_at[check] += looked_at;
      // The load generator counts a check that looked at nothing as a violation.
      if (looked_at > 0) result_.violations += count.at("violations").get<std::uint64_t>();
    }
    for (const auto& violation : report.at("audit").at("first")) {
      const auto text = violation.get<std::string>();
      if (!result_.first_violation.empty() || text.ends_with(": looked at nothing")) continue;
      result_.first_violation = fmt::format("{}: {}", Market(market), text);
    }
    return absl::OkStatus();
  }

  static void AddLatency(const nlohmann::json& of_market, Latency& latency) {
    latency.p50 = std::max(latency.p50, of_market.at("p50").get<double>());
    latency.p99 = std::max(latency.p99, of_market.at("p99").get<double>());
    latency.count += of_market.at("count").get<std::uint64_t>();
  }

  const ScaleOptions options_;
  Measured result_;
  std::map<std::string, std::string> environment_;
  std::unique_ptr<process::LocalServices> services_;
  std::vector<std::unique_ptr<ChildProcess>> dispatches_, generators_;
  std::vector<Member> members_;
};

}  // namespace

absl::StatusOr<Measured> MeasureScale(const ScaleOptions& options) {
  return ScaleRun(options).Measure();
}

}  // namespace ridestream::bench
