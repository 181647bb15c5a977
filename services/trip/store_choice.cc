#include "services/trip/store_choice.h"

#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "services/trip/storage/sqlite_trip_store.h"

ABSL_FLAG(std::string, data, "./data",
          "The folder that holds the trips (trips.db). Made where it is missing; one process at a "
          "time may have it.");

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

}  // namespace

absl::StatusOr<ChosenStore> OpenStoreFromFlags(const Clock& clock, size_t readers,
                                               StoreObserver observer,
                                               metrics::ServiceMetrics& metrics) {
  return OpenSqlite(clock, readers, std::move(observer), metrics);
}

}  // namespace ridestream::trip
