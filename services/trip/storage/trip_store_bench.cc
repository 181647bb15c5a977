// Trips committed durably: the store, with all it decides, beside one thread of raw SQLite that
// writes the same rows in transactions of the same size, into the same schema. Both run in one
// process, one after the other; `of_raw` is the ratio of the store's rate to the raw median.
// postgres_store_bench.cc has the same for PostgreSQL.
//
//   trip_store_bench --benchmark_filter=Request

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "libs/proto_values/proto_values.h"
#include "libs/sqlite/migrations.h"
#include "libs/sqlite/transaction.h"
#include "services/trip/storage/schema.h"
#include "services/trip/storage/sqlite_trip_store.h"
#include "services/trip/testing/store_bench.h"
#include "services/trip/testing/trip_samples.h"

namespace ridestream::trip {
namespace {

using namespace testing;  // NOLINT: samples and what the benchmarks share.

/// A folder on a disk, gone at the end.
class BenchFolder {
 public:
  BenchFolder() {
    std::string pattern = DiskFolder() + "/trip_store_bench-XXXXXX";
    if (mkdtemp(pattern.data()) == nullptr) Must(absl::InternalError("can't make " + pattern));
    path_ = pattern;
  }
  ~BenchFolder() { std::filesystem::remove_all(path_); }
  std::string database_path() const { return path_ + "/trips.db"; }

 private:
  std::string path_;
};

/// Rates of the raw runs by "what/batch", one a repetition, for the ratios.
std::map<std::string, std::vector<double>>& RawRates() {
  static auto& rates = *new std::map<std::string, std::vector<double>>;
  return rates;
}

/// The events that the store would write for `count` requested and then assigned trips.
std::vector<v1::TripEvent> MakeEvents(std::int64_t count, v1::TripState state) {
  std::vector<v1::TripEvent> events;
  for (std::int64_t i = 0; i < count; ++i) {
    Quote quote = SampleQuote(Name('q', i), Name('r', i), ScaledClock::kAnchor);
    v1::Trip trip = Must(BeginTrip(SampleRequest(Name('t', i), Name('r', i), Name('q', i)), quote,
                                   ScaledClock::kAnchor));
    trip.set_version(1);
    if (state == v1::TRIP_STATE_ASSIGNED) {
      Must(Apply(SampleAssign(Name('t', i), Name('d', i), Name('o', i)), DriverLoad{},
                 ScaledClock::kAnchor, trip)
               .status());
      trip.set_version(2);
    }
    v1::TripEvent event;
    *event.mutable_at() = ToProto(ScaledClock::kAnchor);
    *event.mutable_trip() = std::move(trip);
    events.push_back(std::move(event));
  }
  return events;
}

/// Raw SQLite, one thread.
class RawWriter {
 public:
  RawWriter()
      : database_(Must(sqlite::Database::Open(folder_.database_path()))),
        migrated_(Migrated(database_)),
        insert_(Must(database_.Prepare(
            "INSERT INTO trips (first_sequence, latest_sequence, trip_id, market, rider_id, "
            "request_id, quote_id, state, version, party_size) "
            "VALUES (?1, ?1, ?2, ?3, ?4, ?5, ?6, 1, 1, 1)"))),
        update_(Must(database_.Prepare(
            "UPDATE trips SET latest_sequence = ?1, state = 2, version = 2, driver_id = ?2, "
            "seats = 4 WHERE trip_id = ?3 AND state = 1 AND version = 1"))),
        use_(Must(database_.Prepare("INSERT INTO used_ids (scope, caller, id, trip_id, content) "
                                    "VALUES (3, '', ?1, ?2, ?3)"))),
        log_(Must(database_.Prepare(
            "INSERT INTO trip_log (sequence, trip, market, event) VALUES (?1, ?2, ?3, ?4)"))) {}

  void Write(const std::vector<v1::TripEvent>& events, std::int64_t batch) {
    const auto count = static_cast<std::int64_t>(events.size());
    for (std::int64_t first = 0; first < count; first += batch) {
      sqlite::Transaction transaction = Must(sqlite::Transaction::Begin(database_));
      for (std::int64_t i = first; i < std::min(count, first + batch); ++i) {
        WriteOne(events[static_cast<size_t>(i)], i);
      }
      Must(transaction.Commit());
    }
  }

 private:
  static bool Migrated(sqlite::Database& database) {
    Must(sqlite::Migrate(database, Migrations()));
    return true;
  }
  void WriteOne(const v1::TripEvent& event, std::int64_t i) {
    const v1::Trip& trip = event.trip();
    const std::int64_t sequence = ++last_sequence_;
    if (trip.version() == 1) {
      Must(insert_.Run(sequence, trip.trip_id(), trip.market(), trip.passenger().rider_id(),
                       trip.trip_id(), trip.trip_id()));
    } else {
      Must(update_.Run(sequence, trip.driver().driver_id(), trip.trip_id()));
      Must(use_.Run(trip.offer_id(), trip.trip_id(), trip.driver().driver_id()));
    }
    event.SerializeToString(&buffer_);
    Must(log_.Run(sequence, i + 1, trip.market(), sqlite::Blob{buffer_}));
  }

  BenchFolder folder_;
  sqlite::Database database_;
  bool migrated_;
  sqlite::Statement insert_;
  sqlite::Statement update_;
  sqlite::Statement use_;
  sqlite::Statement log_;
  std::int64_t last_sequence_ = 0;
  std::string buffer_;
};

void Report(benchmark::State& state, const std::string& what, double rate, bool is_raw) {
  const std::string key = fmt::format("{}/{}", what, state.range(0));
  state.counters["trips_per_s"] = rate;
  if (is_raw) {
    RawRates()[key].push_back(rate);
  } else if (RawRates().contains(key)) {
    state.counters["of_raw"] = rate / Median(RawRates()[key]);
  }
}

void RawRequest(benchmark::State& state) {
  const auto events = MakeEvents(TripsFor(state.range(0)), v1::TRIP_STATE_REQUESTED);
  for (auto _ : state) {
    state.PauseTiming();
    RawWriter writer;
    state.ResumeTiming();
    const Stopwatch watch;
    writer.Write(events, state.range(0));
    Report(state, "request", watch.RateOf(static_cast<std::int64_t>(events.size())), true);
  }
}

void RawAssign(benchmark::State& state) {
  const std::int64_t trips = TripsFor(state.range(0));
  const auto requested = MakeEvents(trips, v1::TRIP_STATE_REQUESTED);
  const auto assigned = MakeEvents(trips, v1::TRIP_STATE_ASSIGNED);
  for (auto _ : state) {
    state.PauseTiming();
    RawWriter writer;
    writer.Write(requested, 512);
    state.ResumeTiming();
    const Stopwatch watch;
    writer.Write(assigned, state.range(0));
    Report(state, "assign", watch.RateOf(trips), true);
  }
}

std::unique_ptr<TripStore> OpenStore(const BenchFolder& folder, const Clock& clock,
                                     std::int64_t batch) {
  return Must(SqliteTripStore::Open(
      {.path = folder.database_path(), .clock = clock, .max_batch = static_cast<size_t>(batch)}));
}

void StoreRequest(benchmark::State& state) {
  const std::int64_t trips = TripsFor(state.range(0));
  for (auto _ : state) {
    state.PauseTiming();
    const BenchFolder folder;
    const ManualClock clock;
    StoreClient client(OpenStore(folder, clock, state.range(0)), state.range(0));
    QuoteAll(client, trips);
    state.ResumeTiming();
    const Stopwatch watch;
    RequestAll(client, trips);
    Report(state, "request", watch.RateOf(trips), false);
  }
}

void StoreAssign(benchmark::State& state) {
  const std::int64_t trips = TripsFor(state.range(0));
  for (auto _ : state) {
    state.PauseTiming();
    const BenchFolder folder;
    const ManualClock clock;
    StoreClient client(OpenStore(folder, clock, state.range(0)), state.range(0));
    QuoteAll(client, trips);
    RequestAll(client, trips);
    state.ResumeTiming();
    const Stopwatch watch;
    AssignAll(client, trips);
    Report(state, "assign", watch.RateOf(trips), false);
  }
}

BENCHMARK(RawRequest)->Name("RequestTrip/raw_sqlite")->Apply(Batches);
BENCHMARK(StoreRequest)->Name("RequestTrip/trip_store")->Apply(Batches);
BENCHMARK(RawAssign)->Name("AssignTrip/raw_sqlite")->Apply(Batches);
BENCHMARK(StoreAssign)->Name("AssignTrip/trip_store")->Apply(Batches);

}  // namespace
}  // namespace ridestream::trip

BENCHMARK_MAIN();
