#include "tests/bench/stream/flood.h"

#include <algorithm>
#include <chrono>
#include <iostream>
#include <random>
#include <thread>

#include "absl/flags/flag.h"
#include "libs/roads/streets.h"
#include "libs/rpc/caller.h"
#include "ridestream/location/v1/location.grpc.pb.h"

namespace ridestream::bench {
namespace {

using process::LocalServices;
using SteadyClock = std::chrono::steady_clock;

/// Floods for a while. `taken` waits until everything that was sent has arrived, and returns how
/// much did.
template <class Taken>
Flooded Flood(Fleet& fleet, std::chrono::seconds length, Taken taken) {
  const auto start = SteadyClock::now();
  for (BenchDriver& driver : fleet.drivers()) driver.Flood();
  std::this_thread::sleep_for(length);
  fleet.Stop();
  Flooded result{.sent = fleet.positions_sent()};
  result.taken = taken(result.sent);
  result.per_second = static_cast<double>(result.taken) / SecondsSince(start);
  return result;
}

}  // namespace

double SecondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(SteadyClock::now() - start).count();
}

std::vector<LatLng> Places(int count) {
  const auto streets = roads::Streets::Load("city:1");
  std::mt19937_64 random(1);
  std::vector<LatLng> places;
  places.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    places.push_back(roads::RandomPointOnStreet((*streets)->graph(), random));
  }
  return places;
}

absl::StatusOr<std::unique_ptr<process::ChildProcess>> StartBareServer(const std::string& self) {
  return process::ChildProcess::Start(
      {.binary = self, .arguments = {"--bare_server"}, .log_path = "/dev/null"});
}

Flooded FloodBare(const std::string& address, const std::vector<LatLng>& places,
                  std::chrono::seconds length) {
  Fleet fleet(address, absl::GetFlag(FLAGS_streams), absl::GetFlag(FLAGS_connections), places);
  // The server ends a stream when it has read all of it, so everything has arrived when Stop
  // returns.
  return Flood(fleet, length, [](std::uint64_t sent) { return sent; });
}

Flooded FloodOurs(const LocalServices& system, const std::vector<LatLng>& places,
                  std::chrono::seconds length) {
  const auto location = location::v1::LocationService::NewStub(rpc::MakeChannel(system.location()));
  const auto indexed = [&] {
    grpc::ClientContext context;
    location::v1::GetIndexStatsRequest request;
    location::v1::GetIndexStatsResponse stats;
    request.set_market(kMarket);
    rpc::SetTimeout(context, std::chrono::seconds(5));
    rpc::SetCaller(context, {rpc::CallerKind::kOperator, "bench"});
    return location->GetIndexStats(&context, request, &stats).ok() ? stats.applied() : 0;
  };
  Fleet fleet(system.dispatch(), absl::GetFlag(FLAGS_streams), absl::GetFlag(FLAGS_connections),
              places);
  const std::uint64_t before = indexed();
  return Flood(fleet, length, [&](std::uint64_t sent) {
    // Until all are in the index, or none came in for a second: then some were lost.
    std::uint64_t now = indexed() - before;
    for (auto moved_at = SteadyClock::now(); now < sent && SecondsSince(moved_at) < 1;) {
      const std::uint64_t next = indexed() - before;
      if (next > now) moved_at = SteadyClock::now();
      now = next;
    }
    return std::min(now, sent);
  });
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void Print(const std::string& line) { std::cout << line << std::endl; }

}  // namespace ridestream::bench
