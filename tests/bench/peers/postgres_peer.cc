#include "tests/bench/peers/postgres_peer.h"

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <utility>

#include "libs/process/run_command.h"
#include "tests/bench/peers/fleet.h"

namespace ridestream::bench {

using postgres::testing::PostgresServer;

absl::StatusOr<std::unique_ptr<PostgresPeer>> PostgresPeer::Start() {
  auto server = PostgresServer::Start({.settings = {"synchronous_commit=off"}});
  if (!server.ok()) return server.status();
  const std::string place = fmt::format("point(random() * {}, random() * {})", kEastM, kNorthM);
  const absl::Status status = (*server)->Execute(
      fmt::format("CREATE UNLOGGED TABLE drivers (id int PRIMARY KEY, place point);"
                  "INSERT INTO drivers SELECT n, {} FROM generate_series(0, {}) n;"
                  "CREATE INDEX ON drivers USING gist (place);"
                  "ANALYZE drivers",
                  place, kDrivers - 1));
  if (!status.ok()) return status;
  return std::unique_ptr<PostgresPeer>(new PostgresPeer(*std::move(server)));
}

absl::StatusOr<Measured> PostgresPeer::RunScript(const std::string& script, int callers, int items,
                                                 std::chrono::seconds length) {
  const std::string path = server_->folder() + "/script.sql";
  std::ofstream(path) << script;
  const auto finished = process::RunCommand(fmt::format(
      "{}/pgbench --no-vacuum --protocol=prepared --client={} --jobs=2 --time={} --file={} '{}' "
      "2>&1",
      server_->bin(), callers, length.count(), path, server_->Url()));
  if (!finished.ok()) return finished.status();
  constexpr std::string_view kRate = "tps = ";
  const std::size_t at = finished->output.find(kRate);
  if (finished->wait_status != 0 || at == std::string::npos) {
    return absl::InternalError("pgbench: " + finished->output);
  }
  const double rate = std::strtod(finished->output.c_str() + at + kRate.size(), nullptr);
  const auto seconds = static_cast<double>(length.count());
  return Measured{.items = rate * items * seconds, .seconds = seconds};
}

absl::StatusOr<Measured> PostgresPeer::Ingest(std::chrono::seconds length) {
  constexpr int kBlocks = kDrivers / kBatchCallers / kBatch;  // Of each client.
  return RunScript(fmt::format("\\set first (random(0, {}) + :client_id * {}) * {}\n"
                               "UPDATE drivers SET place = point(random() * {}, random() * {}) "
                               "WHERE id BETWEEN :first AND :first + {};\n",
                               kBlocks - 1, kBlocks, kBatch, kEastM, kNorthM, kBatch - 1),
                   kBatchCallers, kBatch, length);
}

absl::StatusOr<Measured> PostgresPeer::FindNearest(int radius_m, int questions,
                                                   std::chrono::seconds length) {
  return RunScript(
      fmt::format("SELECT n, id FROM (SELECT n, point(random() * {}, random() * {}) AS at "
                  "FROM generate_series(1, {}) n) question, LATERAL (SELECT id FROM drivers "
                  "WHERE place <@ circle(at, {}) ORDER BY place <-> at LIMIT {}) nearest;\n",
                  kEastM, kNorthM, questions, radius_m, kNearest),
      CallersOf(questions), questions, length);
}

}  // namespace ridestream::bench
