#include "tests/bench/http2/loss.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/cleanup/cleanup.h"
#include "libs/process/child_process.h"
#include "libs/process/run_command.h"
#include "tests/bench/http2/bench_server.h"
#include "tests/bench/http2/ping_pong.h"

namespace ridestream::bench {
namespace {

/// A longer round trip waited for TCP's retransmission timeout, which is 200 ms at the shortest. A
/// round trip takes a few milliseconds without loss, and where TCP notices the loss by later
/// packets.
constexpr int kStalledMicros = 100'000;
constexpr int kPingsUnderLoss = 100;

/// The output of a command; INTERNAL with that output if it fails.
absl::StatusOr<std::string> Output(const std::string& command) {
  const auto finished = process::RunCommand(command + " 2>&1");
  if (!finished.ok()) return finished.status();
  if (finished->wait_status == 0) return finished->output;
  return absl::InternalError(fmt::format("`{}` {}: {}", command,
                                         process::DescribeWaitStatus(finished->wait_status),
                                         finished->output));
}

struct Lossy {
  std::uint64_t dropped = 0;
  std::uint64_t round_trips = 0;
  std::uint64_t stalled = 0;
  double p50_ms = 0;
  double p99_ms = 0;
};

absl::StatusOr<std::uint64_t> Dropped() {
  const auto listed = Output("nft --json list chain inet ridestream loss");
  if (!listed.ok()) return listed.status();
  const auto json = nlohmann::json::parse(*listed, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return absl::InternalError("nft --json printed no JSON");
  for (const auto& object : json["nftables"]) {
    if (!object.contains("rule")) continue;
    for (const auto& expression : object["rule"]["expr"]) {
      if (expression.contains("counter"))
        return expression["counter"]["packets"].get<std::uint64_t>();
    }
  }
  return absl::InternalError("nft lists no counter");
}

absl::StatusOr<Lossy> PingUnderLoss(int calls, int connections, double percent) {
  auto server = StartBenchServer({fmt::format("--max_streams={}", calls)});
  if (!server.ok()) return server.status();
  auto game = PingPong::Open(OwnConnections(server->address, connections), calls);
  if (!game.ok()) return game.status();
  // Starts here, so that no handshake is disturbed. The rule drops packets in both directions,
  // because on loopback every packet is received here.
  const auto set =
      Output(fmt::format("nft add rule inet ridestream loss meta l4proto tcp numgen random mod "
                         "10000 '<' {} counter drop",
                         std::lround(percent * 100)));
  if (!set.ok()) return set.status();
  const auto micros = (*game)->Round(kPingsUnderLoss);
  const auto dropped = Dropped();
  const auto unset = Output("nft flush chain inet ridestream loss");
  for (const absl::Status& status : {micros.status(), dropped.status(), unset.status()}) {
    if (!status.ok()) return status;
  }
  return Lossy{.dropped = *dropped,
               .round_trips = micros->micros.size(),
               .stalled = micros->CountAbove(kStalledMicros),
               .p50_ms = static_cast<double>(micros->Quantile(0.5)) / 1'000,
               .p99_ms = static_cast<double>(micros->Quantile(0.99)) / 1'000};
}

double StalledPerDrop(const Lossy& lossy) {
  return static_cast<double>(lossy.stalled) /
         static_cast<double>(std::max<std::uint64_t>(1, lossy.dropped));
}

void PrintLossy(int round, int connections, const Lossy& lossy) {
  Print(fmt::format("{:>5}{:>13}{:>14}{:>10}{:>16}{:>18.1f}{:>9.2f} ms{:>7.1f} ms", round,
                    connections, lossy.round_trips, lossy.dropped, lossy.stalled,
                    StalledPerDrop(lossy), lossy.p50_ms, lossy.p99_ms));
}

/// `values`: one for each round, at least one.
void PutSpread(const std::string& name, std::vector<double> values, nlohmann::json& figures) {
  std::sort(values.begin(), values.end());
  const std::string key = "http2.loss." + name;
  figures[key + ".least"] = values.front();
  figures[key + ".median"] = values[values.size() / 2];
  figures[key + ".most"] = values.back();
  Print(fmt::format("  {:<6}{:.1f} to {:.1f}, median {:.1f}", name + ":", values.front(),
                    values.back(), values[values.size() / 2]));
}

}  // namespace

absl::Status MeasureLossInside(int rounds, int calls, double percent, nlohmann::json& figures) {
  Print(
      fmt::format("\n{} calls, {:.1f} % of packets dropped\n"
                  "round  connections   round trips   dropped   beyond 100 ms  for each dropped"
                  "        p50       p99",
                  calls, percent));
  std::vector<double> one_per_drop, many_per_drop;
  for (int round = 1; round <= rounds; ++round) {
    const auto one = PingUnderLoss(calls, 1, percent);
    if (!one.ok()) return one.status();
    PrintLossy(round, 1, *one);
    const auto many = PingUnderLoss(calls, calls, percent);
    if (!many.ok()) return many.status();
    PrintLossy(round, calls, *many);
    one_per_drop.push_back(StalledPerDrop(*one));
    many_per_drop.push_back(StalledPerDrop(*many));
  }
  Print("Round trips beyond 100 ms for each packet dropped:");
  PutSpread("one", one_per_drop, figures);
  PutSpread("many", many_per_drop, figures);
  return absl::OkStatus();
}

absl::Status MeasureLoss(int rounds, int calls, double percent, nlohmann::json& figures) {
  const std::string space = fmt::format("ridestream-{}", getpid());
  const std::string inside = fmt::format("ip netns exec {} ", space);
  const absl::Cleanup remove = [&] {
    // Where it couldn't be made there is nothing to remove.
    (void)process::RunCommand(fmt::format("ip netns del {} 2>/dev/null", space));
  };
  for (const std::string& command :
       {"ip netns add " + space, inside + "ip link set lo up",
        inside + "nft add table inet ridestream",
        inside + "nft add chain inet ridestream loss '{ type filter hook input priority 0; }'",
        inside + "nft add rule inet ridestream loss numgen random mod 10000 '<' 1 counter",
        inside + "nft flush chain inet ridestream loss"}) {
    if (const auto output = Output(command); !output.ok()) {
      Print(fmt::format(
          "\nSKIPPED: lost packets, which need root, network namespaces and nftables: {}",
          output.status().ToString()));
      figures["http2.loss.skipped"] = true;
      return absl::OkStatus();
    }
  }
  const std::string report = std::filesystem::temp_directory_path() / (space + ".json");
  const absl::Cleanup remove_report = [&] { std::filesystem::remove(report); };
  auto process = process::ChildProcess::Start(
      {.binary = "/bin/sh",
       .arguments = {"-c", fmt::format("exec {}\"$0\" \"$@\"", inside),
                     std::filesystem::read_symlink("/proc/self/exe"), "--loss_inside",
                     fmt::format("--loss_rounds={}", rounds), fmt::format("--loss_calls={}", calls),
                     fmt::format("--loss_percent={}", percent), "--json=" + report}});
  if (!process.ok()) return process.status();
  if (const int status = (*process)->Stop(0); status != 0) {
    return absl::InternalError(fmt::format("the measurement inside the network namespace {}",
                                           process::DescribeWaitStatus(status)));
  }
  std::ifstream file(report);
  const auto found = nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
  if (found.is_discarded()) return absl::InternalError(report + " holds no JSON");
  for (const auto& [shape, values] : found["http2"]["loss"].items()) {
    for (const auto& [name, value] : values.items()) {
      figures[fmt::format("http2.loss.{}.{}", shape, name)] = value;
    }
  }
  return absl::OkStatus();
}

}  // namespace ridestream::bench
