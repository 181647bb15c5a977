// Trips committed durably in PostgreSQL: the store beside pgbench, which writes the same rows by
// the same statements, in transactions of the same size, pipelined and prepared, into the same
// schema on the same server. pgbench reads nothing and decides nothing. `of_pgbench` is the ratio
// of the store's rate to pgbench's median. Needs a PostgreSQL server's binaries.
//
//   trip_store_bench --benchmark_filter=postgres

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "libs/postgres/testing/postgres_server.h"
#include "libs/proto_values/proto_values.h"
#include "services/trip/storage/postgres_trip_store.h"
#include "services/trip/testing/store_bench.h"

namespace ridestream::trip {
namespace {

using namespace testing;  // NOLINT: samples and what the benchmarks share.
using postgres::testing::PostgresServer;

/// Enough transactions that pgbench's compiling of its statements, in its first one, doesn't count.
std::int64_t TripsOfRun(std::int64_t batch) { return batch == 1 ? 500 : batch * 200; }

/// One server for all runs, on a disk, with all its syncs.
PostgresServer& Server() {
  static const auto server = [] {
    // The server's user must reach the folder: it and the folders above must be open to all.
    return Must(PostgresServer::Start(
        {.parent = DiskFolder(), .fsync = true, .settings = {"max_wal_size=4GB"}}));
  }();
  return *server;
}

/// A database of its own for each run, with the schema.
class BenchDatabase {
 public:
  BenchDatabase() {
    static int number = 0;
    name_ = fmt::format("bench{}", ++number);
    Must(Server().Execute("CREATE DATABASE " + name_, "postgres"));
    Open(1).reset();
  }
  ~BenchDatabase() {
    Must(Server().Execute("DROP DATABASE " + name_ + " WITH (FORCE)", "postgres"));
  }
  std::unique_ptr<TripStore> Open(std::int64_t batch) const {
    return Must(PostgresTripStore::Open(
        {.url = url(), .clock = clock_, .max_batch = static_cast<size_t>(batch)}));
  }
  std::string url() const { return Server().Url(name_); }

 private:
  ManualClock clock_;
  std::string name_;
};

std::map<std::string, std::vector<double>>& PgbenchRates() {
  static auto& rates = *new std::map<std::string, std::vector<double>>;
  return rates;
}

/// An entry of the log as the store writes it.
std::string SampleEvent(v1::TripState state) {
  v1::TripEvent event;
  Quote quote = SampleQuote(Name('q', 0), Name('r', 0), ScaledClock::kAnchor);
  v1::Trip trip = Must(BeginTrip(SampleRequest(Name('t', 0), Name('r', 0), Name('q', 0)), quote,
                                 ScaledClock::kAnchor));
  if (state == v1::TRIP_STATE_ASSIGNED) {
    Must(Apply(SampleAssign(Name('t', 0), Name('d', 0), Name('o', 0)), DriverLoad{},
               ScaledClock::kAnchor, trip)
             .status());
  }
  *event.mutable_at() = ToProto(ScaledClock::kAnchor);
  *event.mutable_trip() = std::move(trip);
  std::string hex;
  for (const char c : event.SerializeAsString()) {
    hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  }
  return fmt::format("'\\x{}'::bytea", hex);
}

constexpr char kRequest[] =
    "\\set s :s + 1\n"
    "INSERT INTO trips (first_sequence, latest_sequence, trip_id, market, rider_id, request_id, "
    "quote_id, state, version, party_size) VALUES (:s, :s, 't-' || :s, 'city', 'r-' || :s, "
    "'request-' || :s, 'q-' || :s, 1, 1, 1);\n"
    "INSERT INTO trip_log (sequence, trip, market, event) VALUES (:s, :s, 'city', EVENT);\n";
constexpr char kAssign[] =
    "\\set s :s + 1\n\\set t :t + 1\n"
    "UPDATE trips SET latest_sequence = :s, state = 2, version = 2, driver_id = 'd-' || :t, "
    "seats = 4 WHERE first_sequence = :t AND state = 1 AND version = 1;\n"
    "INSERT INTO trip_log (sequence, trip, market, event) VALUES (:s, :t, 'city', EVENT);\n"
    "INSERT INTO used_ids (scope, caller, id, trip_id, content) "
    "VALUES (3, '', 'o-' || :t, 't-' || :t, 'd-' || :t);\n";

/// Commands a second of pgbench: `trips` of them in transactions of `batch`.
double RunPgbench(const BenchDatabase& database, std::string command, v1::TripState state,
                  std::int64_t first_sequence, std::int64_t trips, std::int64_t batch) {
  command.replace(command.find("EVENT"), 5, SampleEvent(state));
  const std::string path = Server().folder() + "/script.sql";
  std::ofstream script(path);
  script << "\\startpipeline\nBEGIN;\n";
  for (std::int64_t i = 0; i < batch; ++i) script << command;
  script << "COMMIT;\n\\endpipeline\n";
  script.close();
  const std::string line = fmt::format(
      "{}/pgbench --no-vacuum --protocol=prepared --transactions={} --define=s={} --define=t=0 "
      "--file={} '{}' 2>&1",
      Server().bin(), trips / batch, first_sequence, path, database.url());
  FILE* output = popen(line.c_str(), "r");
  std::string text;
  char buffer[4096];
  while (std::fgets(buffer, sizeof(buffer), output) != nullptr) text += buffer;
  const int status = pclose(output);
  const size_t tps = text.find("tps = ");
  if (status != 0 || tps == std::string::npos) Must(absl::InternalError("pgbench: " + text));
  return std::strtod(text.c_str() + tps + 6, nullptr) * static_cast<double>(batch);
}

void ReportRate(benchmark::State& state, const std::string& what, double rate, bool is_pgbench) {
  const std::string key = fmt::format("{}/{}", what, state.range(0));
  state.counters["trips_per_s"] = rate;
  if (is_pgbench) {
    PgbenchRates()[key].push_back(rate);
  } else if (PgbenchRates().contains(key)) {
    state.counters["of_pgbench"] = rate / Median(PgbenchRates()[key]);
  }
}

void PgbenchRequest(benchmark::State& state) {
  for (auto _ : state) {
    const BenchDatabase database;
    ReportRate(state, "request",
               RunPgbench(database, kRequest, v1::TRIP_STATE_REQUESTED, 0,
                          TripsOfRun(state.range(0)), state.range(0)),
               true);
  }
}

void PgbenchAssign(benchmark::State& state) {
  const std::int64_t trips = TripsOfRun(state.range(0));
  for (auto _ : state) {
    const BenchDatabase database;
    RunPgbench(database, kRequest, v1::TRIP_STATE_REQUESTED, 0, trips,
               std::max<std::int64_t>(state.range(0), 100));
    ReportRate(state, "assign",
               RunPgbench(database, kAssign, v1::TRIP_STATE_ASSIGNED, trips, trips, state.range(0)),
               true);
  }
}

void PostgresRequest(benchmark::State& state) {
  const std::int64_t trips = TripsOfRun(state.range(0));
  for (auto _ : state) {
    const BenchDatabase database;
    StoreClient client(database.Open(state.range(0)), state.range(0));
    QuoteAll(client, trips);
    const Stopwatch watch;
    RequestAll(client, trips);
    ReportRate(state, "request", watch.RateOf(trips), false);
  }
}

void PostgresAssign(benchmark::State& state) {
  const std::int64_t trips = TripsOfRun(state.range(0));
  for (auto _ : state) {
    const BenchDatabase database;
    StoreClient client(database.Open(state.range(0)), state.range(0));
    QuoteAll(client, trips);
    RequestAll(client, trips);
    const Stopwatch watch;
    AssignAll(client, trips);
    ReportRate(state, "assign", watch.RateOf(trips), false);
  }
}

BENCHMARK(PgbenchRequest)->Name("RequestTrip/postgres_pgbench")->Apply(Batches);
BENCHMARK(PostgresRequest)->Name("RequestTrip/postgres_store")->Apply(Batches);
BENCHMARK(PgbenchAssign)->Name("AssignTrip/postgres_pgbench")->Apply(Batches);
BENCHMARK(PostgresAssign)->Name("AssignTrip/postgres_store")->Apply(Batches);

}  // namespace
}  // namespace ridestream::trip
