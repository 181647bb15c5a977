#include "services/trip/store_choice.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "services/trip/storage/postgres_trip_store.h"
#include "services/trip/storage/sqlite_trip_store.h"

ABSL_FLAG(std::string, data, "./data",
          "With --store=sqlite, the folder that holds the trips (trips.db). Made where it is "
          "missing; one process at a time may have it.");
ABSL_FLAG(std::string, store, "sqlite",
          "Where trips are kept: sqlite (the folder --data), or postgres (the database --postgres, "
          "which several trip processes may share)");
ABSL_FLAG(std::string, postgres, "",
          "With --store=postgres, the database: postgresql://USER@HOST[,HOST…]/NAME?… or "
          "key=value pairs, as libpq takes them. A password is better given in the environment "
          "(RIDESTREAM_POSTGRES, PGPASSWORD) than here.");

namespace ridestream::trip {
namespace {

absl::StatusOr<ChosenStore> OpenSqlite(const Clock& clock, size_t readers, StoreObserver observer,
                                       metrics::ServiceMetrics& metrics) {
  absl::StatusOr<DataFolder> folder = DataFolder::Acquire(absl::GetFlag(FLAGS_data));
  if (!folder.ok()) return folder.status();
  const std::string path = folder->database_path();
  absl::StatusOr<std::unique_ptr<SqliteTripStore>> store = SqliteTripStore::Open(
      {.path = path,
       .clock = clock,
       // One process has the file, so that it wrote all events.
       .listener =
           [on_events = std::move(observer.on_events),
            on_written = std::move(observer.on_written)](const std::vector<EventPtr>& events) {
             on_events(events);
             on_written(events);
           },
       .on_commit = std::move(observer.on_commit),
       .on_failure = std::move(observer.on_failure),
       .readers = readers});
  if (!store.ok()) return store.status();
  metrics.readings().AddOne(metrics::Readings::Kind::kGauge, "trip_wal_bytes",
                            "Size of SQLite's write-ahead log, in bytes",
                            [raw = store->get()] { return static_cast<double>(raw->wal_bytes()); });
  return ChosenStore{*std::move(folder), *std::move(store), path};
}

absl::StatusOr<ChosenStore> OpenPostgres(const Clock& clock, size_t readers,
                                         StoreObserver observer) {
  const std::string url = absl::GetFlag(FLAGS_postgres);
  if (url.empty()) {
    return absl::InvalidArgumentError("--postgres=: --store=postgres needs the database's URL");
  }
  absl::StatusOr<std::unique_ptr<PostgresTripStore>> store =
      PostgresTripStore::Open({.url = url,
                               .clock = clock,
                               .listener = std::move(observer.on_events),
                               .on_written = std::move(observer.on_written),
                               .on_commit = std::move(observer.on_commit),
                               .on_failure = std::move(observer.on_failure),
                               .readers = readers});
  if (!store.ok()) {
    return absl::Status(store.status().code(),
                        fmt::format("--postgres: {}", std::string(store.status().message())));
  }
  std::string place = (*store)->place();
  return ChosenStore{std::nullopt, *std::move(store), std::move(place)};
}

}  // namespace

absl::StatusOr<ChosenStore> OpenStoreFromFlags(const Clock& clock, size_t readers,
                                               StoreObserver observer,
                                               metrics::ServiceMetrics& metrics) {
  const std::string store = absl::GetFlag(FLAGS_store);
  if (store == "sqlite") return OpenSqlite(clock, readers, std::move(observer), metrics);
  if (store == "postgres") return OpenPostgres(clock, readers, std::move(observer));
  return absl::InvalidArgumentError(fmt::format("--store={}: must be sqlite or postgres", store));
}

}  // namespace ridestream::trip
