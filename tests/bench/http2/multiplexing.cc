#include "tests/bench/http2/multiplexing.h"

#include <fmt/format.h>

#include <chrono>
#include <string>

#include "libs/process/authority.h"
#include "libs/process/temporary_folder.h"
#include "tests/bench/http2/bench_server.h"
#include "tests/bench/http2/ping_pong.h"

namespace ridestream::bench {
namespace {

constexpr int kPings = 20;

struct Multiplexed {
  double open_ms = 0;
  double open_cpu_ms = 0;
  double kb_per_call = 0;
  double p50_ms = 0;
  double p99_ms = 0;
};

absl::StatusOr<Multiplexed> OpenAndPing(const std::string& authority, int calls, int connections) {
  auto server = StartBenchServer(
      {fmt::format("--authority={}", authority), fmt::format("--max_streams={}", calls)});
  if (!server.ok()) return server.status();
  const auto credentials = BenchCredentials(authority);
  if (!credentials.ok()) return credentials.status();
  // What a server needs for its first connection isn't counted.
  if (auto first = PingPong::Open(OwnConnections(server->address, 1, *credentials), 1);
      !first.ok()) {
    return first.status();
  }
  const auto memory_before = server->process->ResidentBytes();
  const auto cpu_before = server->process->CpuTime();
  const auto start = std::chrono::steady_clock::now();
  auto game = PingPong::Open(OwnConnections(server->address, connections, *credentials), calls);
  if (!game.ok()) return game.status();
  Multiplexed result;
  result.open_ms =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  const auto memory_after = server->process->ResidentBytes();
  const auto cpu_after = server->process->CpuTime();
  if (!memory_before.ok() || !memory_after.ok()) return absl::InternalError("no memory figures");
  if (!cpu_before.ok() || !cpu_after.ok()) return absl::InternalError("no CPU figures");
  result.open_cpu_ms = static_cast<double>((*cpu_after - *cpu_before).count());
  result.kb_per_call =
      (static_cast<double>(*memory_after) - static_cast<double>(*memory_before)) / calls / 1'000;
  const auto micros = (*game)->Round(kPings);
  if (!micros.ok()) return micros.status();
  result.p50_ms = static_cast<double>(micros->Quantile(0.5)) / 1'000;
  result.p99_ms = static_cast<double>(micros->Quantile(0.99)) / 1'000;
  return result;
}

}  // namespace

absl::Status MeasureMultiplexing(int calls, nlohmann::json& figures) {
  const auto folder = process::TemporaryFolder::Make();
  if (!folder.ok()) return folder.status();
  const std::string& authority = folder->path();
  if (absl::Status status = process::MakeAuthority(authority); !status.ok()) return status;
  // Credentials must be loaded for the first time before gRPC has threads.
  if (const auto loaded = BenchCredentials(authority); !loaded.ok()) return loaded.status();
  Print(fmt::format(
      "\n{} open calls              connections  handshakes   open  server CPU    memory"
      "        p50        p99",
      calls));
  for (const bool secure : {false, true}) {
    const std::string name = secure ? "tls" : "plaintext";
    const auto one = OpenAndPing(secure ? authority : "", calls, 1);
    if (!one.ok()) return one.status();
    const auto many = OpenAndPing(secure ? authority : "", calls, calls);
    if (!many.ok()) return many.status();
    const auto print = [&](const std::string& shape, int connections, const Multiplexed& m) {
      Print(fmt::format("{:<28}{:>11}{:>12}{:>7.0f} ms{:>9.0f} ms{:>7.1f} KB{:>8.1f} ms{:>8.1f} ms",
                        name, connections, connections, m.open_ms, m.open_cpu_ms, m.kb_per_call,
                        m.p50_ms, m.p99_ms));
      const std::string key = fmt::format("http2.{}.{}.", name, shape);
      figures[key + "open_ms"] = m.open_ms;
      figures[key + "open_cpu_ms"] = m.open_cpu_ms;
      figures[key + "kb_per_call"] = m.kb_per_call;
      figures[key + "p50_ms"] = m.p50_ms;
      figures[key + "p99_ms"] = m.p99_ms;
    };
    print("one", 1, *one);
    print("many", calls, *many);
    const std::string key = fmt::format("http2.{}.many_to_one.", name);
    figures[key + "open"] = many->open_ms / one->open_ms;
    figures[key + "memory"] = many->kb_per_call / one->kb_per_call;
    figures[key + "open_cpu"] = many->open_cpu_ms / one->open_cpu_ms;
    Print(fmt::format("{:<28}{:>11}{:>12}{:>7.1f}{:>12.1f}{:>13.1f}", "  ratio", "", "",
                      many->open_ms / one->open_ms, many->open_cpu_ms / one->open_cpu_ms,
                      many->kb_per_call / one->kb_per_call));
  }
  return absl::OkStatus();
}

}  // namespace ridestream::bench
