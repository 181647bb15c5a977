#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "absl/flags/declare.h"
#include "absl/status/statusor.h"
#include "libs/base/geo.h"
#include "libs/process/child_process.h"
#include "libs/process/local_services.h"
#include "libs/rpc/channel.h"
#include "tests/bench/stream/bench_driver.h"

ABSL_DECLARE_FLAG(int, streams);
ABSL_DECLARE_FLAG(int, connections);

/// Drivers that send as fast as they can, and how much of it a server takes.
namespace ridestream::bench {

inline constexpr char kMarket[] = "city";

double SecondsSince(std::chrono::steady_clock::time_point start);

/// Drivers on a server, over shared connections.
class Fleet {
 public:
  Fleet(const std::string& address, int count, int connections, const std::vector<LatLng>& places,
        const std::function<void(const dispatch::v1::DriveResponse&)>& on_push = nullptr) {
    // A server admits 100 streams on a connection.
    connections = std::max(connections, (count + 99) / 100);
    for (int c = 0; c < connections; ++c) {
      stubs_.push_back(
          dispatch::v1::DispatchService::NewStub(rpc::MakeChannel(address, {.connection = c + 1})));
    }
    for (int i = 0; i < count; ++i) {
      drivers_.emplace_back(
          *stubs_[static_cast<std::size_t>(i % connections)],
          BenchDriver::Options{.id = fmt::format("bench-{}", i),
                               .start = places[static_cast<std::size_t>(i) % places.size()],
                               .on_push = on_push});
    }
    for (BenchDriver& driver : drivers_) driver.WaitUntilWelcome();
  }
  ~Fleet() { Stop(); }

  void Stop() {
    for (BenchDriver& driver : drivers_) driver.Stop();
    for (BenchDriver& driver : drivers_) driver.WaitUntilDone();
  }
  std::uint64_t positions_sent() const {
    return std::accumulate(drivers_.begin(), drivers_.end(), std::uint64_t{0},
                           [](auto sum, const auto& d) { return sum + d.positions_sent(); });
  }
  std::deque<BenchDriver>& drivers() { return drivers_; }

 private:
  std::vector<std::unique_ptr<dispatch::v1::DispatchService::Stub>> stubs_;
  std::deque<BenchDriver> drivers_;
};

/// `count` places on the built-in city's streets, the same every time.
std::vector<LatLng> Places(int count);

/// The benchmark's own binary as a server that only counts.
absl::StatusOr<std::unique_ptr<process::ChildProcess>> StartBareServer(const std::string& self);

/// The result of a flood. The rate is that of the positions taken, until all of them were.
struct Flooded {
  double per_second = 0;
  std::uint64_t sent = 0;
  std::uint64_t taken = 0;
};

/// Floods the bare server with --streams drivers for that long.
Flooded FloodBare(const std::string& address, const std::vector<LatLng>& places,
                  std::chrono::seconds length);
/// Floods dispatch; counts the positions that location's index applied.
Flooded FloodOurs(const process::LocalServices& system, const std::vector<LatLng>& places,
                  std::chrono::seconds length);

/// Median of at least one value; the upper of the two in the middle.
double Median(std::vector<double> values);

/// Prints a line.
void Print(const std::string& line);

}  // namespace ridestream::bench
