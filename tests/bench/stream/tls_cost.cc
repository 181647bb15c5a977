#include "tests/bench/stream/tls_cost.h"

#include <fmt/format.h>

#include <atomic>
#include <memory>
#include <thread>

#include "libs/process/local_services.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/development_security.h"
#include "tests/bench/stream/flood.h"
#include "tests/bench/stream/push_latency.h"

namespace ridestream::bench {
namespace {

using process::LocalServices;
using SteadyClock = std::chrono::steady_clock;

/// Returns a connection number that this process hasn't used before.
int FreshConnection() {
  static std::atomic<int> last = 1'000'000;
  return ++last;
}

/// Opens a new connection. Fails after 10 s.
absl::StatusOr<std::shared_ptr<grpc::Channel>> Connect(const std::string& address) {
  auto channel = rpc::MakeChannel(address, {.connection = FreshConnection()});
  if (channel->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(10))) {
    return channel;
  }
  return absl::UnavailableError("no connection was established within 10 s");
}

/// Two clients that connect and disconnect repeatedly.
absl::StatusOr<double> ConnectionsPerSecond(const std::string& address,
                                            std::chrono::seconds length) {
  std::atomic<std::uint64_t> connected = 0;
  std::atomic<bool> failed = false;
  const auto start = SteadyClock::now();
  const auto client = [&] {
    while (!failed && SteadyClock::now() < start + length) {
      if (Connect(address).ok()) {
        ++connected;
      } else {
        failed = true;
      }
    }
  };
  std::thread other(client);
  client();
  other.join();
  if (failed) return absl::UnavailableError("a client couldn't connect");
  return static_cast<double>(connected) / SecondsSince(start);
}

/// Memory of location, which is otherwise idle.
absl::StatusOr<double> KilobytesPerConnection(const LocalServices& system) {
  constexpr int kWarmUp = 50;
  constexpr int kConnections = 500;
  std::vector<std::shared_ptr<grpc::Channel>> channels;
  const auto open = [&](int count) -> absl::StatusOr<std::size_t> {
    for (int i = 0; i < count; ++i) {
      auto channel = Connect(system.location());
      if (!channel.ok()) return channel.status();
      channels.push_back(*std::move(channel));
    }
    return system.process("location").ResidentBytes();
  };
  const auto before = open(kWarmUp);
  const auto after = before.ok() ? open(kConnections) : before;
  if (!after.ok()) return after.status();
  return (static_cast<double>(*after) - static_cast<double>(*before)) / kConnections / 1'000;
}

struct Side {
  const char* name;
  bool insecure;
  std::unique_ptr<LocalServices> system = nullptr;
  std::vector<double> rates = {};
};

absl::Status MeasureConnections(const Side& side, std::chrono::seconds length,
                                nlohmann::json& figures) {
  const auto per_second = ConnectionsPerSecond(side.system->location(), length);
  if (!per_second.ok()) return per_second.status();
  const auto kilobytes = KilobytesPerConnection(*side.system);
  if (!kilobytes.ok()) return kilobytes.status();
  figures[fmt::format("{}.connections_per_s", side.name)] = *per_second;
  figures[fmt::format("{}.connection_kb", side.name)] = *kilobytes;
  return absl::OkStatus();
}

absl::Status MeasurePushRatio(const std::string& bin, const std::vector<LatLng>& places,
                              std::chrono::seconds length, nlohmann::json& figures) {
  const auto plain = MeasurePush(bin, /*insecure=*/true, places, length);
  if (!plain.ok()) return plain.status();
  const auto tls = MeasurePush(bin, /*insecure=*/false, places, length);
  if (!tls.ok()) return tls.status();
  figures["plaintext.push_us.p50"] = *plain;
  figures["tls.push_us.p50"] = *tls;
  figures["tls.push_ratio"] = *tls / *plain;
  return absl::OkStatus();
}

}  // namespace

absl::Status MeasureTls(const std::string& bin, const std::vector<LatLng>& places, int rounds,
                        std::chrono::seconds length, nlohmann::json& figures) {
  Side sides[] = {{"plaintext", true}, {"tls", false}};
  for (Side& side : sides) {
    auto system = LocalServices::Start(
        {.bin = bin, .dispatch_flags = {"--max_positions_per_s=0"}, .insecure = side.insecure});
    if (!system.ok()) return system.status();
    side.system = *std::move(system);
  }
  Print("positions/s    plaintext         TLS     ratio");
  std::vector<double> ratios;
  for (int round = 0; round < rounds; ++round) {
    for (Side& side : sides) {
      const absl::Status secured = rpc::UseDevelopmentAuthority(side.system->authority());
      if (!secured.ok()) return secured;
      side.rates.push_back(FloodOurs(*side.system, places, length).per_second);
    }
    ratios.push_back(sides[1].rates.back() / sides[0].rates.back());
    Print(fmt::format("  round {}    {:>10.0f}  {:>10.0f}    {:.3f}", round + 1,
                      sides[0].rates.back(), sides[1].rates.back(), ratios.back()));
  }
  for (Side& side : sides) {
    figures[fmt::format("{}.positions_per_s", side.name)] = Median(side.rates);
    absl::Status status = rpc::UseDevelopmentAuthority(side.system->authority());
    if (status.ok()) status = MeasureConnections(side, length, figures);
    if (!status.ok()) return status;
    side.system.reset();
  }
  figures["tls.rate_ratio"] = Median(ratios);
  return MeasurePushRatio(bin, places, 2 * length, figures);
}

}  // namespace ridestream::bench
