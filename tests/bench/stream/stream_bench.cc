// ./ride bench stream: the throughput of Ridestream's driver stream compared with bare gRPC in the
// same run on the same machine, and the latency of a push compared with a bare round trip.

#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "libs/process/local_services.h"
#include "libs/rpc/server.h"
#include "libs/service/flag_range.h"
#include "libs/service/service.h"
#include "libs/testing/figures.h"
#include "tests/bench/stream/bare_server.h"
#include "tests/bench/stream/flood.h"
#include "tests/bench/stream/metrics_cost.h"
#include "tests/bench/stream/push_latency.h"
#include "tests/bench/stream/storm.h"
#include "tests/bench/stream/switch_cost.h"
#include "tests/bench/stream/tls_cost.h"

ABSL_FLAG(bool, bare_server, false, "Run as the bare server (used by the benchmark itself)");
ABSL_FLAG(std::string, listen, "127.0.0.1:0", "Address of the bare server");
RIDESTREAM_RANGED_FLAG(int, streams, 200, "Driver streams. Each sends as fast as it can", 1,
                       100'000);
RIDESTREAM_RANGED_FLAG(int, connections, 4, "Connections that the streams share", 1, 1'000);
RIDESTREAM_RANGED_FLAG(
    int, rounds, 3,
    "Rounds of the bare server and dispatch in turn. The result is the median of their ratios", 1,
    1'000);
RIDESTREAM_RANGED_FLAG(int, seconds, 5, "Length of each measurement, in seconds", 1, 86'400);
ABSL_FLAG(
    std::string, only, "",
    "One of stream, push, metrics, tls, storm, tracing and recording; the first three where it "
    "is empty");
RIDESTREAM_RANGED_FLAG(int, storm_drivers, 5'000,
                       "With --only=storm, how many drivers lose their connections at once", 1,
                       20'000);
ABSL_FLAG(std::string, json, "", "File to write the figures to");

namespace ridestream::bench {
namespace {

using process::LocalServices;

absl::Status MeasureStream(const std::string& self, const std::string& bin,
                           const std::vector<LatLng>& places, nlohmann::json& figures) {
  auto bare = StartBareServer(self);
  if (!bare.ok()) return bare.status();
  const auto bare_address = (*bare)->WaitUntilServing();
  if (!bare_address.ok()) return bare_address.status();
  // Drivers that send all they can are what is measured here.
  auto system = LocalServices::Start(
      {.bin = bin, .dispatch_flags = {"--max_positions_per_s=0"}, .insecure = true});
  if (!system.ok()) return system.status();

  const std::chrono::seconds length(absl::GetFlag(FLAGS_seconds));
  std::vector<double> bare_rates, our_rates, ratios;
  std::uint64_t lost = 0;
  Print("positions/s         bare        ours     ratio");
  for (int round = 0; round < absl::GetFlag(FLAGS_rounds); ++round) {
    const Flooded theirs = FloodBare(*bare_address, places, length);
    const Flooded ours = FloodOurs(**system, places, length);
    lost += ours.sent - ours.taken;
    bare_rates.push_back(theirs.per_second);
    our_rates.push_back(ours.per_second);
    ratios.push_back(ours.per_second / theirs.per_second);
    Print(fmt::format("  round {}      {:>10.0f}  {:>10.0f}    {:.3f}", round + 1,
                      theirs.per_second, ours.per_second, ratios.back()));
  }
  figures["stream.bare_per_s"] = Median(bare_rates);
  figures["stream.ours_per_s"] = Median(our_rates);
  figures["stream.ratio"] = Median(ratios);
  figures["stream.lost"] = lost;
  return absl::OkStatus();
}

absl::Status RunBareServer() {
  BareDispatch service;
  auto server =
      rpc::Server::Start({.address = absl::GetFlag(FLAGS_listen), .services = {&service}});
  if (!server.ok()) return server.status();
  service::LogServing(fmt::format("127.0.0.1:{}", (*server)->port()), {});
  service::WaitForStopSignal();
  return absl::OkStatus();
}

absl::Status Run() {
  if (absl::GetFlag(FLAGS_bare_server)) return RunBareServer();
  const std::string self = std::filesystem::read_symlink("/proc/self/exe");
  const std::string bin = std::filesystem::path(self).parent_path();
  const std::vector<LatLng> places = Places(5'000);
  nlohmann::json figures;
  const std::string only = absl::GetFlag(FLAGS_only);
  const std::set<std::string> kinds = {"",    "stream", "push",    "metrics",
                                       "tls", "storm",  "tracing", "recording"};
  if (!kinds.contains(only)) {
    return absl::InvalidArgumentError(
        "--only: must be stream, push, metrics, tls, storm, tracing or recording");
  }
  absl::Status status;
  if (only.empty() || only == "stream") status = MeasureStream(self, bin, places, figures);
  if (status.ok() && (only.empty() || only == "metrics")) {
    status = MeasureMetrics(bin, places, figures);
  }
  if (status.ok() && (only.empty() || only == "push")) {
    status = MeasurePushes(self, bin, places,
                           2 * std::chrono::seconds(absl::GetFlag(FLAGS_seconds)), figures);
  }
  if (only == "tls") {
    status = MeasureTls(bin, places, absl::GetFlag(FLAGS_rounds),
                        std::chrono::seconds(absl::GetFlag(FLAGS_seconds)), figures);
  }
  if (only == "tracing" || only == "recording") {
    const auto measure = only == "tracing" ? MeasureTracing : MeasureRecording;
    status = measure(bin, places, absl::GetFlag(FLAGS_rounds),
                     std::chrono::seconds(absl::GetFlag(FLAGS_seconds)), figures);
  }
  if (only == "storm") {
    status = MeasureStorm(bin, absl::GetFlag(FLAGS_storm_drivers), figures);
  }
  if (!status.ok()) return status;
  Print("");
  for (const auto& [key, value] : figures.items()) {
    Print(fmt::format("{:<28}{:>12.3f}", key, value.get<double>()));
  }
  return testing::WriteFigures(figures, absl::GetFlag(FLAGS_json));
}

}  // namespace
}  // namespace ridestream::bench

int main(int argc, char** argv) {
  ridestream::service::Initialize(
      argc, argv, "stream_bench",
      "Measures the driver's stream: its rate beside a bare gRPC stream's, and the latency of a "
      "push beside a bare round trip. Starts what it needs from its own folder.");
  const absl::Status status = ridestream::bench::Run();
  return status.ok() ? 0 : ridestream::service::PrintFailure(status);
}
