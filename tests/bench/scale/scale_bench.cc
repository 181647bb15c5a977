// ./ride bench scale: connects many drivers to several markets on this machine, and measures what
// the services and the load generators take and how long pushes need, with one gRPC library or two.

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "libs/process/bin_folder.h"
#include "libs/service/flag_range.h"
#include "libs/service/service.h"
#include "libs/testing/figures.h"
#include "tests/bench/scale/limits.h"
#include "tests/bench/scale/measured.h"
#include "tests/bench/scale/scale_system.h"

ABSL_FLAG(std::string, drivers, "10000,30000,100000",
          "Numbers of drivers to measure with, one after the other: N[,…]");
RIDESTREAM_RANGED_FLAG(int, markets, 4, "Markets, each with a dispatch process of its own", 1, 64);
RIDESTREAM_RANGED_FLAG(int, seconds, 30, "Length of each measurement, in seconds", 1, 3'600);
RIDESTREAM_RANGED_FLAG(int, connect_seconds, 90,
                       "Longest time to wait until all drivers have sessions, in seconds. A row "
                       "shows how many have one",
                       1, 3'600);
RIDESTREAM_RANGED_FLAG(double, requests_per_hour, 4, "Requests for each driver and hour", 0.1,
                       1'000);
ABSL_FLAG(bool, insecure, false, "Speak plaintext and send no tokens");
ABSL_FLAG(std::string, release_grpc, "",
          "Folder of the gRPC that ./ride grpc built. All is measured with that one, too");
ABSL_FLAG(std::string, bin, "",
          "Folder of Ridestream's binaries. Empty: the folder of this program");
ABSL_FLAG(std::string, json, "", "File to write the figures to");

namespace ridestream::bench {
namespace {

/// The load generator's limit.
constexpr int kMaxDriversOfMarket = 50'000;

absl::StatusOr<std::vector<int>> DriversFromFlag() {
  const int markets = absl::GetFlag(FLAGS_markets);
  std::vector<int> all;
  for (const auto& text : absl::StrSplit(absl::GetFlag(FLAGS_drivers), ',')) {
    int drivers = 0;
    if (!absl::SimpleAtoi(text, &drivers) || drivers < markets ||
        drivers > kMaxDriversOfMarket * markets) {
      return absl::InvalidArgumentError(fmt::format(
          "--drivers={}: each must be a number from --markets, {}, to {}, {} in a market",
          absl::GetFlag(FLAGS_drivers), markets, kMaxDriversOfMarket * markets,
          kMaxDriversOfMarket));
    }
    all.push_back(drivers);
  }
  return all;
}

absl::Status CheckAllLimits(const std::vector<int>& drivers) {
  const auto machine = ThisMachine();
  if (!machine.ok()) return machine.status();
  return CheckLimits(*std::max_element(drivers.begin(), drivers.end()),
                     absl::GetFlag(FLAGS_markets), *machine);
}

std::string LoadAverage() {
  double load = 0;
  return getloadavg(&load, 1) == 1 ? fmt::format("{:.1f}", load) : "unknown";
}

/// Measures with the gRPC of `folder`; empty: Debian's.
absl::StatusOr<Measured> MeasureWith(const std::string& folder, int drivers) {
  const std::string grpc = folder.empty() ? "Debian's gRPC" : "gRPC without assertions";
  const int markets = absl::GetFlag(FLAGS_markets);
  std::cout << fmt::format("{} drivers in {} markets, {} …", drivers, markets, grpc) << std::endl;
  auto row =
      MeasureScale({.bin = process::BinFolder(absl::GetFlag(FLAGS_bin)),
                    .grpc_folder = folder,
                    .drivers = drivers,
                    .markets = markets,
                    .length = std::chrono::seconds(absl::GetFlag(FLAGS_seconds)),
                    .connect_within = std::chrono::seconds(absl::GetFlag(FLAGS_connect_seconds)),
                    .requests_per_driver_hour = absl::GetFlag(FLAGS_requests_per_hour),
                    .insecure = absl::GetFlag(FLAGS_insecure)});
  if (row.ok() && !folder.empty() && !row->grpc.ends_with("off")) {
    return absl::InvalidArgumentError(
        fmt::format("--release_grpc={}: the services have loaded gRPC {}", folder, row->grpc));
  }
  if (row.ok() && row->violations > 0) {
    std::cout << "  the audit isn't clean: " << row->first_violation << std::endl;
  }
  if (!row.ok()) {
    const std::string reason(row.status().message());
    std::cout << "  not measured: " << reason << std::endl;
    return absl::Status(row.status().code(),
                        fmt::format("{} drivers, {}: {}", drivers, grpc, reason));
  }
  std::cout << fmt::format("  gRPC {}; {} connected after {:.0f} s", row->grpc, row->connected,
                           row->connect_s)
            << std::endl;
  return row;
}

/// Measures all numbers of drivers, also after a failure: fewer drivers with one library may be
/// more than the machine serves with the other. Returns the first failure.
absl::Status MeasureAll(const std::vector<int>& all_drivers, std::vector<Measured>& rows) {
  std::vector<std::string> folders = {""};
  if (const std::string release = absl::GetFlag(FLAGS_release_grpc); !release.empty()) {
    folders.push_back(release);
  }
  absl::Status first;
  for (const std::string& folder : folders) {
    for (const int drivers : all_drivers) {
      auto row = MeasureWith(folder, drivers);
      if (!row.ok()) {
        first.Update(row.status());
        continue;
      }
      if (row->violations > 0) {
        first.Update(
            absl::DataLossError(fmt::format("the audit of {} drivers with gRPC {} isn't clean: {}",
                                            drivers, row->grpc, row->first_violation)));
      }
      rows.push_back(*std::move(row));
    }
  }
  return first;
}

absl::Status Run() {
  const auto drivers = DriversFromFlag();
  if (!drivers.ok()) return drivers.status();
  if (absl::Status status = CheckAllLimits(*drivers); !status.ok()) return status;
  std::cout << "load average before: " << LoadAverage() << std::endl;
  std::vector<Measured> rows;
  absl::Status status = MeasureAll(*drivers, rows);
  if (!rows.empty()) std::cout << "\n" << ToMarkdown(rows) << "\n";
  std::cout << "load average after: " << LoadAverage() << std::endl;
  status.Update(testing::WriteFigures(ToFigures(rows), absl::GetFlag(FLAGS_json)));
  return status;
}

}  // namespace
}  // namespace ridestream::bench

int main(int argc, char** argv) {
  ridestream::service::Initialize(
      argc, argv, "scale_bench",
      "Connects drivers who report every 4 s to several markets on this machine, with riders who "
      "request trips, and prints a Markdown table: CPU, memory, positions per second and the "
      "latency of pushes. Starts all services and load generators.");
  const absl::Status status = ridestream::bench::Run();
  return status.ok() ? 0 : ridestream::service::PrintFailure(status);
}
