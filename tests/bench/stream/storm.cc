#include "tests/bench/stream/storm.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "libs/base/host_port.h"
#include "libs/base/timer_queue.h"
#include "libs/process/local_services.h"
#include "libs/roads/streets.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/development_security.h"
#include "loadtest/demand/demand.h"
#include "loadtest/driver/cruise.h"
#include "loadtest/driver/fleet.h"
#include "tests/bench/stream/flood.h"

namespace ridestream::bench {
namespace {

using process::LocalServices;
using SteadyClock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

/// Longer than any recovery takes; bounds a hang.
constexpr std::chrono::minutes kPatience{2};

/// gRPC's default in clients.
constexpr std::chrono::seconds kConnectWithin{20};

bool WaitUntil(const std::function<bool()>& is) {
  const auto end = SteadyClock::now() + kPatience;
  while (!is()) {
    if (SteadyClock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));  // Counters don't notify.
  }
  return true;
}

/// Shuts down every connection of this process to that port, and returns their number.
int CutConnectionsTo(std::uint16_t port) {
  int cut = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    int descriptor = -1;
    if (!absl::SimpleAtoi(entry.path().filename().string(), &descriptor)) continue;
    sockaddr_storage peer{};
    socklen_t size = sizeof(peer);
    if (getpeername(descriptor, reinterpret_cast<sockaddr*>(&peer), &size) != 0) continue;
    const in_port_t peer_port = peer.ss_family == AF_INET
                                    ? reinterpret_cast<const sockaddr_in&>(peer).sin_port
                                    : reinterpret_cast<const sockaddr_in6&>(peer).sin6_port;
    const bool is_ip = peer.ss_family == AF_INET || peer.ss_family == AF_INET6;
    if (is_ip && ntohs(peer_port) == port && shutdown(descriptor, SHUT_RDWR) == 0) ++cut;
  }
  return cut;
}

Seconds OwnCpu() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return Seconds(seconds(usage.ru_utime) + seconds(usage.ru_stime));
}

/// Drivers of the simulated city, each with its own connection.
class Drivers {
 public:
  Drivers(const std::string& dispatch, const roads::Streets& streets, int count)
      : cruises_(streets.router(), streets.turns()),
        fleet_(Options(dispatch, streets, count), cruises_, std::make_shared<ScaledClock>(),
               timers_, tally_, first_offers_) {
    fleet_.Start();
  }

  int online() const { return static_cast<int>(tally_.streams.value()); }
  int resumed() const { return static_cast<int>(tally_.streams_resumed); }
  absl::Status last_error() const { return fleet_.last_error(); }

 private:
  static loadtest::Fleet::Options Options(const std::string& dispatch,
                                          const roads::Streets& streets, int count) {
    loadtest::Fleet::Options options;
    options.habits.market = kMarket;
    options.habits.disconnects_per_hour = 0;
    for (const auto& place :
         loadtest::GenerateFleet(streets.graph(), static_cast<std::size_t>(count), 1)) {
      const std::string id = fmt::format("storm-{}", options.drivers.size());
      options.channels.push_back(
          rpc::MakeChannel(dispatch, {.connection = static_cast<int>(options.drivers.size()) + 1,
                                      .connect_within = kConnectWithin}));
      options.drivers.push_back({DriverId(id), id, place.seats, place.place});
    }
    return options;
  }

  TimerQueue timers_;
  loadtest::Tally tally_;
  loadtest::FirstOffers first_offers_;
  loadtest::StreetCruises cruises_;
  loadtest::Fleet fleet_;
};

absl::Status MeasureSide(const std::string& bin, int count, bool insecure,
                         const roads::Streets& streets, nlohmann::json& figures) {
  // All come from one address.
  auto system = LocalServices::Start(
      {.bin = bin,
       .dispatch_flags = {fmt::format("--grpc_max_connections_per_address={}", 4 * count)},
       .insecure = insecure});
  if (!system.ok()) return system.status();
  const absl::Status secured = rpc::UseDevelopmentAuthority((*system)->authority());
  if (!secured.ok()) return secured;
  Drivers drivers((*system)->dispatch(), streets, count);
  if (!WaitUntil([&] { return drivers.online() == count; })) {
    return absl::DeadlineExceededError(
        fmt::format("{} of {} drivers connected; the last error was: {}", drivers.online(), count,
                    drivers.last_error().ToString()));
  }
  const absl::StatusOr<HostPort> address = ParseHostPort((*system)->dispatch());
  if (!address.ok()) return address.status();
  const process::ChildProcess& dispatch = (*system)->process("dispatch");
  const Seconds our_cpu = OwnCpu();
  const auto dispatch_cpu = dispatch.CpuTime();
  if (!dispatch_cpu.ok()) return dispatch_cpu.status();
  const auto start = SteadyClock::now();
  if (const int cut = CutConnectionsTo(address->port); cut < count) {
    return absl::InternalError(fmt::format("{} drivers had {} connections", count, cut));
  }
  if (!WaitUntil([&] { return drivers.resumed() >= count && drivers.online() == count; })) {
    return absl::DeadlineExceededError(
        fmt::format("{} of {} drivers resumed their sessions; the last error was: {}",
                    drivers.resumed(), count, drivers.last_error().ToString()));
  }
  const std::string side = insecure ? "plaintext" : "tls";
  figures[side + ".storm_s"] = SecondsSince(start);
  figures[side + ".storm_drivers_cpu_s"] = (OwnCpu() - our_cpu).count();
  const auto dispatch_cpu_after = dispatch.CpuTime();
  if (!dispatch_cpu_after.ok()) return dispatch_cpu_after.status();
  figures[side + ".storm_dispatch_cpu_s"] = Seconds(*dispatch_cpu_after - *dispatch_cpu).count();
  return absl::OkStatus();
}

}  // namespace

absl::Status MeasureStorm(const std::string& bin, int drivers, nlohmann::json& figures) {
  const auto streets = roads::Streets::Load("city:1");
  if (!streets.ok()) return streets.status();
  for (const bool insecure : {true, false}) {
    Print(fmt::format("{} drivers lose their connections, {} …", drivers,
                      insecure ? "plaintext" : "TLS and tokens"));
    const absl::Status status = MeasureSide(bin, drivers, insecure, **streets, figures);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace ridestream::bench
