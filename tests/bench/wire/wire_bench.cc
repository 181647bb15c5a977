// ./ride bench wire: the same three tasks by gRPC, gRPC-Web, REST, Server-Sent Events, WebSocket
// and SOAP, in turn on the same machine, each server pinned to one core and its clients to another.
// Prints the medians of the rounds.

#include <fmt/format.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "libs/process/temporary_folder.h"
#include "libs/service/flag_range.h"
#include "libs/service/service.h"
#include "libs/testing/figures.h"
#include "tests/bench/wire/measure.h"
#include "tests/bench/wire/server.h"

RIDESTREAM_RANGED_FLAG(double, seconds, 1, "Length of each measurement, in seconds", 0.05, 3'600);
RIDESTREAM_RANGED_FLAG(int, rounds, 3, "Rounds, in each of which every protocol is measured once",
                       1, 1'000);
RIDESTREAM_RANGED_FLAG(int, callers, 8, "Clients at once where a rate is measured", 1, 256);
RIDESTREAM_RANGED_FLAG(int, waiting, 200, "Clients that wait where memory is measured", 1, 4'000);
ABSL_FLAG(std::string, json, "", "File to write the figures to");
ABSL_FLAG(std::string, serve, "",
          "The protocol to serve until the process is killed; for the benchmark's own servers");
RIDESTREAM_RANGED_FLAG(std::int64_t, offer_every_us, 0,
                       "With --serve: microseconds between two offers of a subscription", 0,
                       std::int64_t{3'600'000'000});

namespace ridestream::bench::wire {
namespace {

std::vector<Protocol> Protocols() {
  return {GrpcUnary(),  GrpcStreaming(),    GrpcWeb(),   Rest(),
          RestByHand(), ServerSentEvents(), WebSocket(), Soap()};
}

absl::Status Serve(const std::string& key) {
  for (const Protocol& protocol : Protocols()) {
    if (protocol.key != key) continue;
    Application application{std::chrono::microseconds(absl::GetFlag(FLAGS_offer_every_us))};
    return protocol.serve(
        application, [](int port) { service::LogServing(fmt::format("127.0.0.1:{}", port), {}); });
  }
  return absl::InvalidArgumentError("--serve: there is no protocol " + key);
}

/// Lines of files of this folder that are neither blank nor only a comment.
absl::StatusOr<int> CountLines(const std::vector<std::string>& files) {
  int lines = 0;
  for (const std::string& name : files) {
    const std::string path = std::string(RIDESTREAM_WIRE_SOURCES) + "/" + name;
    std::ifstream file(path);
    if (!file) return absl::NotFoundError("can't count the lines of " + path);
    for (std::string line; std::getline(file, line);) {
      const auto text = absl::StripLeadingAsciiWhitespace(line);
      const bool is_comment = absl::StartsWith(text, "//") && !absl::StartsWith(text, "//gsoap");
      if (!text.empty() && !is_comment) ++lines;
    }
  }
  return lines;
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

using Figures = std::map<std::string, double>;

void PrintTask(const std::string& task, const std::string& title, const std::string& base,
               const std::vector<Protocol>& protocols, std::map<std::string, Figures>& figures) {
  std::cout << fmt::format("\n{:<30}{:>8}{:>9}{:>11}{:>10}{:>8}{:>10}{:>10}\n", title, "bytes",
                           "message", "per s", "CPU us", "x gRPC", "p50 us", "p99 us");
  for (const Protocol& protocol : protocols) {
    Figures& own = figures[protocol.key];
    if (!own.contains(task + ".bytes")) {
      std::cout << fmt::format("{:<30}{:>8}\n", protocol.title, "can't");
      continue;
    }
    const std::string note = task == "push" && !protocol.has_push ? ", poll" : "";
    const auto of = [&](const char* name) { return own[fmt::format("{}.{}", task, name)]; };
    own[task + ".cpu_of_grpc"] = of("cpu_us") / figures[base][task + ".cpu_us"];
    const std::string rate =
        own.contains(task + ".per_s") ? fmt::format("{:.0f}", of("per_s")) : "paced";
    std::cout << fmt::format("{:<30}{:>8.1f}{:>9.1f}{:>11}{:>10.2f}{:>8.2f}{:>10.0f}{:>10.0f}\n",
                             protocol.title + note, of("bytes"), of("message_bytes"), rate,
                             of("cpu_us"), of("cpu_of_grpc"), of("p50_us"), of("p99_us"));
  }
}

absl::Status Run() {
  if (absl::Status status = PinTo(Core::kClients); !status.ok()) return status;
  const auto folder = process::TemporaryFolder::Make();
  if (!folder.ok()) return folder.status();
  const MeasureOptions options{
      .length = std::chrono::duration<double>(absl::GetFlag(FLAGS_seconds)),
      .callers = absl::GetFlag(FLAGS_callers),
      .waiting = absl::GetFlag(FLAGS_waiting),
      .folder = folder->path()};

  const std::vector<Protocol> protocols = Protocols();
  std::cout << fmt::format("load average before: {}\n", LoadAverage()) << std::flush;
  std::map<std::string, std::map<std::string, std::vector<double>>> rounds;
  for (int round = 0; round < absl::GetFlag(FLAGS_rounds); ++round) {
    for (const Protocol& protocol : protocols) {
      const auto measured = Measure(protocol, options);
      if (!measured.ok()) return measured.status();
      for (const auto& [name, value] : *measured) rounds[protocol.key][name].push_back(value);
    }
  }
  std::map<std::string, Figures> figures;
  for (const auto& [key, by_name] : rounds) {
    for (const auto& [name, values] : by_name) figures[key][name] = Median(values);
  }

  PrintTask("position", "a position update", "grpc_unary", protocols, figures);
  PrintTask("quote", "a quote", "grpc_unary", protocols, figures);
  PrintTask("push", "a push", "grpc_streaming", protocols, figures);
  std::cout << fmt::format("\n{:<30}{:>20}{:>14}{:>10}\n", "", "KB a waiting client",
                           "lines of code", "contract");
  for (const Protocol& protocol : protocols) {
    const auto code = CountLines(protocol.sources);
    const auto contract = CountLines(protocol.contracts);
    if (!code.ok() || !contract.ok()) return code.ok() ? contract.status() : code.status();
    Figures& own = figures[protocol.key];
    own["lines"] = *code;
    own["contract_lines"] = *contract;
    std::cout << fmt::format("{:<30}{:>20.1f}{:>14}{:>10}\n", protocol.title,
                             own["waiting_bytes"] / 1'000, *code, *contract);
  }
  std::cout << fmt::format("\nload average after: {}\n", LoadAverage());

  nlohmann::json json;
  for (const auto& [key, by_name] : figures) {
    for (const auto& [name, value] : by_name) json[fmt::format("wire.{}.{}", key, name)] = value;
  }
  return testing::WriteFigures(json, absl::GetFlag(FLAGS_json));
}

}  // namespace
}  // namespace ridestream::bench::wire

int main(int argc, char** argv) {
  using namespace ridestream;
  service::Initialize(argc, argv, "wire_bench",
                      "Measures a position update, a quote and a push by gRPC, gRPC-Web, REST, "
                      "Server-Sent Events, WebSocket and SOAP. Starts a server for each.");
  service::LetStopSignalsEndTheProcess();
  const std::string serve = absl::GetFlag(FLAGS_serve);
  absl::Status status;
  if (serve.empty()) {
    status = bench::wire::Run();
  } else {
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // A benchmark that is stopped leaves no server behind.
    status = bench::wire::PinTo(bench::wire::Core::kServer);
    if (status.ok()) status = bench::wire::Serve(serve);
  }
  return status.ok() ? 0 : service::Fail(status);
}
