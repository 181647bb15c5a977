// ./ride bench peers: finds nearest drivers and takes positions by Ridestream's location service,
// Redis and PostgreSQL, in turn on the same machine. Prints the medians of the rounds: the rates,
// their ratios, and the CPU time of each server, which other work on the machine disturbs least.

#include <fmt/format.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "libs/service/flag_range.h"
#include "libs/service/service.h"
#include "libs/testing/figures.h"
#include "tests/bench/peers/fleet.h"
#include "tests/bench/peers/our_peer.h"
#include "tests/bench/peers/postgres_peer.h"
#include "tests/bench/peers/redis_peer.h"

RIDESTREAM_RANGED_FLAG(int, seconds, 2, "Length of each measurement, in seconds", 1, 3'600);
RIDESTREAM_RANGED_FLAG(int, rounds, 3, "Rounds, in each of which every program is measured once", 1,
                       1'000);
ABSL_FLAG(std::string, json, "", "File to write the figures to");

namespace ridestream::bench {
namespace {

struct Case {
  std::string key, title;
  int radius_m;   ///< 0: positions are taken.
  int questions;  ///< In one call.
};

const std::vector<Case>& Cases() {
  static const std::vector<Case> cases = {
      {"ingest", "positions, batches of 100", 0, 0},
      {"nearest_500m_1", "nearest 10 within 500 m, 1 question a call", 500, 1},
      {"nearest_500m_100", "nearest 10 within 500 m, 100 questions a call", 500, kBatch},
      {"nearest_2km_1", "nearest 10 within 2 km, 1 question a call", 2'000, 1},
      {"nearest_2km_100", "nearest 10 within 2 km, 100 questions a call", 2'000, kBatch}};
  return cases;
}

double Median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

std::string LoadAverage() {
  double load = 0;
  return getloadavg(&load, 1) == 1 ? fmt::format("{:.1f}", load) : "unknown";
}

/// INTERNAL unless both answer at least nine questions of ten with the same drivers. Redis rounds
/// places by up to a metre, so its tenth driver may be another.
absl::Status CompareAnswers(OurPeer& ours, RedisPeer& redis) {
  std::mt19937_64 random(7);
  std::vector<LatLng> places;
  for (int i = 0; i < kDrivers; ++i) places.push_back(RandomPlace(random));
  absl::Status status = ours.Report(places);
  if (status.ok()) status = redis.Report(places);
  if (!status.ok()) return status;
  constexpr int kQuestions = 200;
  int same = 0, found = 0;
  for (int i = 0; i < kQuestions; ++i) {
    const LatLng place = RandomPlace(random);
    const int radius_m = i % 2 == 0 ? 500 : 2'000;
    const auto by_us = ours.NearestTo(place, radius_m);
    if (!by_us.ok()) return by_us.status();
    const auto by_redis = redis.NearestTo(place, radius_m);
    if (!by_redis.ok()) return by_redis.status();
    same += *by_us == *by_redis ? 1 : 0;
    found += static_cast<int>(by_us->size());
  }
  std::cout << fmt::format(
      "{} of {} questions have the same answers from Redis; {:.1f} drivers each\n", same,
      kQuestions, static_cast<double>(found) / kQuestions);
  if (10 * same >= 9 * kQuestions && found > kQuestions) return absl::OkStatus();
  return absl::InternalError("Ridestream and Redis give different answers");
}

/// Figures of one program, by rounds.
struct Figures {
  std::vector<double> per_second;
  std::vector<double> cpu_us;  ///< Of Peer::server(), for one position or question.
};

absl::StatusOr<std::chrono::milliseconds> CpuTime(const Peer& peer) {
  if (peer.server() == nullptr) return std::chrono::milliseconds(0);
  return peer.server()->CpuTime();
}

absl::Status Measure(const Case& which, Peer& peer, Figures& figures) {
  const std::chrono::seconds length(absl::GetFlag(FLAGS_seconds));
  const auto before = CpuTime(peer);
  if (!before.ok()) return before.status();
  const auto measured = which.radius_m == 0
                            ? peer.Ingest(length)
                            : peer.FindNearest(which.radius_m, which.questions, length);
  if (!measured.ok()) return measured.status();
  const auto after = CpuTime(peer);
  if (!after.ok()) return after.status();
  figures.per_second.push_back(measured->per_second());
  const std::chrono::duration<double, std::micro> cpu = *after - *before;
  figures.cpu_us.push_back(cpu.count() / measured->items);
  return absl::OkStatus();
}

std::vector<double> Ratios(const std::vector<double>& above, const std::vector<double>& below) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < above.size(); ++i) ratios.push_back(above[i] / below[i]);
  return ratios;
}

void Print(const Case& which, const std::vector<Figures>& programs, nlohmann::json& json) {
  constexpr const char* kNames[] = {"ridestream", "redis", "postgresql"};
  std::string line = fmt::format("{:<46}", which.title);
  const auto add = [&](const std::string& key, double value, int digits, int width) {
    json[fmt::format("peers.{}.{}", which.key, key)] = value;
    line += fmt::format("{:>{}.{}f}", value, width, digits);
  };
  for (std::size_t i = 0; i < programs.size(); ++i) {
    add(fmt::format("{}_per_s", kNames[i]), Median(programs[i].per_second), 0, 11);
  }
  for (std::size_t i = 1; i < programs.size(); ++i) {
    add(fmt::format("of_{}", kNames[i]),
        Median(Ratios(programs[0].per_second, programs[i].per_second)), 2, 8);
  }
  for (const std::size_t i : {0u, 1u}) {
    add(fmt::format("{}_cpu_us", kNames[i]), Median(programs[i].cpu_us), 2, 9);
  }
  add("redis_cpu_of_ours", Median(Ratios(programs[1].cpu_us, programs[0].cpu_us)), 1, 8);
  std::cout << line << std::endl;
}

absl::Status Run() {
  const std::string self = std::filesystem::read_symlink("/proc/self/exe");
  auto ours = OurPeer::Start(std::filesystem::path(self).parent_path());
  if (!ours.ok()) return ours.status();
  auto redis = RedisPeer::Start((*ours)->folder());
  if (!redis.ok()) return redis.status();
  auto postgres = PostgresPeer::Start();
  if (!postgres.ok()) return postgres.status();
  if (absl::Status status = CompareAnswers(**ours, **redis); !status.ok()) return status;

  nlohmann::json figures;
  std::cout << fmt::format("load average before: {}\n{:<46}{:^33}{:>16}{:>26}\n", LoadAverage(), "",
                           "per second", "ratio to", "server CPU, us")
            << fmt::format("{:<46}{:>11}{:>11}{:>11}{:>8}{:>8}{:>9}{:>9}{:>8}\n", "", "ours",
                           "Redis", "Postgres", "Redis", "Postgr", "ours", "Redis", "ratio");
  for (const Case& which : Cases()) {
    std::vector<Figures> programs(3);
    for (int round = 0; round < absl::GetFlag(FLAGS_rounds); ++round) {
      absl::Status status = Measure(which, **ours, programs[0]);
      if (status.ok()) status = Measure(which, **redis, programs[1]);
      if (status.ok()) status = Measure(which, **postgres, programs[2]);
      if (!status.ok()) return status;
    }
    Print(which, programs, figures);
  }
  std::cout << fmt::format("load average after: {}\n", LoadAverage());
  return testing::WriteFigures(figures, absl::GetFlag(FLAGS_json));
}

}  // namespace
}  // namespace ridestream::bench

int main(int argc, char** argv) {
  ridestream::service::Initialize(
      argc, argv, "peers_bench",
      "Measures how many positions and questions for the nearest drivers Ridestream's location "
      "service, Redis and PostgreSQL take per second. Starts each of them.");
  const absl::Status status = ridestream::bench::Run();
  return status.ok() ? 0 : ridestream::service::Fail(status);
}
