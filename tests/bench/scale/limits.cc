#include "tests/bench/scale/limits.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <fstream>
#include <limits>
#include <string>

namespace ridestream::bench {
namespace {

/// As the load generator opens them.
constexpr std::uint64_t kDriversPerConnection = 80;
/// Connections of riders, services and metrics, and files.
constexpr std::uint64_t kOtherFiles = 300;
/// Dispatch and the load generator take 22 KB and 26 KB a driver (50,000 drivers on one dispatch);
/// a fifth more for what comes and goes.
constexpr std::uint64_t kBytesPerDriver = 60'000;
/// Streets in dispatch, trip and the load generator.
constexpr std::uint64_t kBytesPerMarket = 180'000'000;
constexpr std::uint64_t kBytesOfServices = 200'000'000;

std::uint64_t CeilDivide(std::uint64_t value, std::uint64_t by) { return (value + by - 1) / by; }

}  // namespace

absl::StatusOr<Machine> ThisMachine() {
  Machine machine;
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  machine.open_files = files.rlim_max;
  std::uint64_t first = 0, last = 0;
  if (!(std::ifstream("/proc/sys/net/ipv4/ip_local_port_range") >> first >> last) || last < first) {
    return absl::InternalError("/proc/sys/net/ipv4/ip_local_port_range can't be read");
  }
  machine.ports = last - first + 1;
  std::ifstream memory("/proc/meminfo");
  std::string name;
  while (memory >> name && name != "MemAvailable:") {
    memory.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  std::uint64_t kibibytes = 0;
  if (!(memory >> kibibytes)) return absl::InternalError("/proc/meminfo has no MemAvailable");
  machine.available_bytes = kibibytes << 10;
  return machine;
}

absl::Status CheckLimits(int drivers, int markets, const Machine& machine) {
  const auto all = static_cast<std::uint64_t>(drivers);
  const auto parts = static_cast<std::uint64_t>(markets);
  // A dispatch has as many connections as the load generator of its market.
  const std::uint64_t connections = CeilDivide(CeilDivide(all, parts), kDriversPerConnection);
  if (const std::uint64_t files = connections + kOtherFiles; files > machine.open_files) {
    return absl::ResourceExhaustedError(fmt::format(
        "{} drivers in {} markets take {} open files in one process, and the limit is {}: "
        "raise it (ulimit -Hn {}), or spread the drivers over more --markets",
        drivers, markets, files, machine.open_files, files));
  }
  // Each dispatch has a port of its own, so only the connections to one port need different ones.
  if (connections + kOtherFiles > machine.ports) {
    return absl::ResourceExhaustedError(
        fmt::format("{} drivers in {} markets take {} ports for the connections to one dispatch, "
                    "and the kernel "
                    "has {}: widen net.ipv4.ip_local_port_range by sysctl, or use more --markets",
                    drivers, markets, connections + kOtherFiles, machine.ports));
  }
  const std::uint64_t bytes = all * kBytesPerDriver + parts * kBytesPerMarket + kBytesOfServices;
  if (bytes > machine.available_bytes) {
    return absl::ResourceExhaustedError(
        fmt::format("{} drivers in {} markets take about {} MiB of memory, load generators "
                    "included, and {} MiB "
                    "are available: end other programs, or use fewer --drivers",
                    drivers, markets, bytes >> 20, machine.available_bytes >> 20));
  }
  return absl::OkStatus();
}

}  // namespace ridestream::bench
