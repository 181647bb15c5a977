#include "tests/bench/peers/redis_peer.h"

#include <fmt/format.h>

#include <random>
#include <thread>
#include <utility>

#include "libs/process/free_port.h"
#include "tests/bench/peers/fleet.h"

namespace ridestream::bench {
namespace {

constexpr char kKey[] = "drivers";

std::string Degrees(int e7) { return fmt::format("{:.7f}", e7 * 1e-7); }

std::string Question(LatLng place, int radius_m) {
  return EncodeRedisCommand({"GEOSEARCH", kKey, "FROMLONLAT", Degrees(place.lng_e7),
                             Degrees(place.lat_e7), "BYRADIUS", fmt::format("{}", radius_m), "m",
                             "ASC", "COUNT", fmt::format("{}", kNearest)});
}

/// One command with the positions of `places`, whose drivers follow each other from `first`.
std::string Positions(int first, const std::vector<LatLng>& places) {
  std::vector<std::string> command = {"GEOADD", kKey};
  for (const LatLng place : places) {
    command.push_back(Degrees(place.lng_e7));
    command.push_back(Degrees(place.lat_e7));
    command.push_back(DriverName(first++));
  }
  return EncodeRedisCommand(command);
}

}  // namespace

absl::StatusOr<std::unique_ptr<RedisPeer>> RedisPeer::Start(const std::string& folder) {
  const int port = process::FreePort();
  auto server = process::ChildProcess::Start(
      {.binary = "redis-server",
       .arguments = {"--bind", "127.0.0.1", "--port", fmt::format("{}", port), "--save", "",
                     "--appendonly", "no", "--dir", folder, "--logfile", folder + "/redis.log"},
       .log_path = folder + "/redis.log"});
  if (!server.ok()) return server.status();
  constexpr int kTries = 500;
  for (int i = 0; i < kTries && !(*server)->HasEnded(); ++i) {
    if (RedisConnection::Open(port).ok()) {
      return std::unique_ptr<RedisPeer>(new RedisPeer(*std::move(server), port));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return absl::UnavailableError("redis-server doesn't listen: " + (*server)->LogEnd());
}

absl::StatusOr<Caller> RedisPeer::MakeCaller(std::vector<std::string> calls, int replies,
                                             int items) const {
  auto opened = RedisConnection::Open(port_);
  if (!opened.ok()) return opened.status();
  return Repeat(static_cast<std::size_t>(items),
                [connection = std::shared_ptr<RedisConnection>(*std::move(opened)),
                 calls = std::move(calls), replies, next = std::size_t{0},
                 strings = std::vector<std::string>()]() mutable -> absl::Status {
                  absl::Status status = connection->Send(calls[next++ % calls.size()]);
                  for (int i = 0; status.ok() && i < replies; ++i) {
                    status = connection->Read(strings);
                  }
                  return status;
                });
}

absl::StatusOr<Measured> RedisPeer::Ingest(std::chrono::seconds length) {
  std::vector<Caller> callers;
  constexpr int kOfCaller = kDrivers / kBatchCallers;
  for (int i = 0; i < kBatchCallers; ++i) {
    std::mt19937_64 random(static_cast<std::uint64_t>(i));
    std::vector<std::string> calls;
    // Twice, so that each driver moves between two places.
    for (int driver = 0; driver < 2 * kOfCaller; driver += kBatch) {
      std::vector<LatLng> places;
      for (int k = 0; k < kBatch; ++k) places.push_back(RandomPlace(random));
      calls.push_back(Positions(i * kOfCaller + driver % kOfCaller, places));
    }
    auto caller = MakeCaller(std::move(calls), 1, kBatch);
    if (!caller.ok()) return caller.status();
    callers.push_back(*std::move(caller));
  }
  return MeasureRate(callers, length);
}

absl::StatusOr<Measured> RedisPeer::FindNearest(int radius_m, int questions,
                                                std::chrono::seconds length) {
  std::vector<Caller> callers;
  for (int i = 0; i < CallersOf(questions); ++i) {
    std::mt19937_64 random(static_cast<std::uint64_t>(i));
    std::vector<std::string> calls(kPreparedCalls);
    for (std::string& call : calls) {
      for (int k = 0; k < questions; ++k) call += Question(RandomPlace(random), radius_m);
    }
    auto caller = MakeCaller(std::move(calls), questions, questions);
    if (!caller.ok()) return caller.status();
    callers.push_back(*std::move(caller));
  }
  return MeasureRate(callers, length);
}

absl::Status RedisPeer::Report(const std::vector<LatLng>& places) {
  auto connection = RedisConnection::Open(port_);
  if (!connection.ok()) return connection.status();
  std::vector<std::string> added;
  absl::Status status = (*connection)->Send(Positions(0, places));
  if (status.ok()) status = (*connection)->Read(added);
  return status;
}

absl::StatusOr<std::set<std::string>> RedisPeer::NearestTo(LatLng place, int radius_m) {
  auto connection = RedisConnection::Open(port_);
  if (!connection.ok()) return connection.status();
  std::vector<std::string> ids;
  absl::Status status = (*connection)->Send(Question(place, radius_m));
  if (status.ok()) status = (*connection)->Read(ids);
  if (!status.ok()) return status;
  return std::set<std::string>(ids.begin(), ids.end());
}

}  // namespace ridestream::bench
