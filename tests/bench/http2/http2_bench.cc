// ./ride bench http2: HTTP/2 as gRPC uses it, measured and shown frame by frame: multiplexing, flow
// control, header compression, keepalive and the end of a connection.

#include <fmt/format.h>

#include <filesystem>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "libs/service/flag_range.h"
#include "libs/service/service.h"
#include "libs/testing/figures.h"
#include "tests/bench/http2/bench_server.h"
#include "tests/bench/http2/drain.h"
#include "tests/bench/http2/header_bytes.h"
#include "tests/bench/http2/loss.h"
#include "tests/bench/http2/multiplexing.h"
#include "tests/bench/http2/slow_reader.h"

ABSL_FLAG(std::string, only, "",
          "One of multiplexing, loss, flow, headers, drain and keepalive; all where it is empty");
RIDESTREAM_RANGED_FLAG(int, calls, 1'000, "Open calls of multiplexing", 1, 1'000);
RIDESTREAM_RANGED_FLAG(int, loss_rounds, 10, "Rounds with lost packets", 1, 100);
RIDESTREAM_RANGED_FLAG(int, loss_calls, 50, "Open calls while packets are lost", 1, 1'000);
RIDESTREAM_RANGED_FLAG(double, loss_percent, 1, "Packets that are lost, in percent", 0.01, 20);
ABSL_FLAG(std::string, json, "", "File to write the figures to");
ABSL_FLAG(bool, bench_server, false, "Run as the server (used by the benchmark itself)");
ABSL_FLAG(std::string, authority, "", "Folder of a throwaway authority, for the server");
RIDESTREAM_RANGED_FLAG(int, max_streams, 100, "Streams on a connection, for the server", 1, 1'000);
ABSL_FLAG(bool, loss_inside, false,
          "Lose packets of the network this runs in (used by the benchmark itself)");

namespace ridestream::bench {
namespace {

absl::Status Run() {
  if (absl::GetFlag(FLAGS_bench_server)) {
    return RunBenchServer(absl::GetFlag(FLAGS_authority), absl::GetFlag(FLAGS_max_streams));
  }
  const std::string bin =
      std::filesystem::path(std::filesystem::read_symlink("/proc/self/exe")).parent_path();
  const int loss_rounds = absl::GetFlag(FLAGS_loss_rounds);
  const int loss_calls = absl::GetFlag(FLAGS_loss_calls);
  const double loss_percent = absl::GetFlag(FLAGS_loss_percent);
  nlohmann::json figures;
  if (absl::GetFlag(FLAGS_loss_inside)) {
    const absl::Status status = MeasureLossInside(loss_rounds, loss_calls, loss_percent, figures);
    return status.ok() ? testing::WriteFigures(figures, absl::GetFlag(FLAGS_json)) : status;
  }
  // Multiplexing is first: it loads certificates before gRPC has threads.
  const std::vector<std::pair<std::string, std::function<absl::Status()>>> parts = {
      {"multiplexing", [&] { return MeasureMultiplexing(absl::GetFlag(FLAGS_calls), figures); }},
      {"loss", [&] { return MeasureLoss(loss_rounds, loss_calls, loss_percent, figures); }},
      {"flow", [&] { return MeasureSlowReader(figures); }},
      {"headers", [&] { return MeasureHeaderBytes(figures); }},
      {"drain", [&] { return TraceDriver(bin, figures); }},
      {"keepalive", [&] { return MeasureKeepalive(figures); }}};
  const std::string only = absl::GetFlag(FLAGS_only);
  bool found = false;
  for (const auto& [name, measure] : parts) {
    if (!only.empty() && only != name) continue;
    found = true;
    if (absl::Status status = measure(); !status.ok()) return status;
  }
  if (!found) {
    return absl::InvalidArgumentError(
        "--only: must be multiplexing, loss, flow, headers, drain or keepalive");
  }
  return testing::WriteFigures(figures, absl::GetFlag(FLAGS_json));
}

}  // namespace
}  // namespace ridestream::bench

int main(int argc, char** argv) {
  ridestream::service::Initialize(
      argc, argv, "http2_bench",
      "Measures HTTP/2 as gRPC uses it, and prints the frames: many calls on one connection and on "
      "many, lost packets, flow control, header compression, keepalive and GOAWAY.");
  const absl::Status status = ridestream::bench::Run();
  return status.ok() ? 0 : ridestream::service::PrintFailure(status);
}
