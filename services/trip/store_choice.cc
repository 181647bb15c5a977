#include "services/trip/store_choice.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "services/trip/storage/postgres_report_exchange.h"
#include "services/trip/storage/postgres_trip_store.h"
#include "services/trip/storage/sqlite_trip_store.h"

namespace ridestream::trip {
namespace {

absl::StatusOr<ChosenStore> OpenSqlite(const std::string& folder_path, const Clock& clock,
                                       size_t readers, StoreObserver observer,
                                       metrics::ServiceMetrics& metrics) {
  absl::StatusOr<DataFolder> folder = DataFolder::Acquire(folder_path);
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
  return ChosenStore{*std::move(folder), *std::move(store), nullptr, path};
}

/// The store has just reached the database.
constexpr std::chrono::seconds kOpenExchangeFor{10};

absl::Status OfPostgres(const absl::Status& status) {
  return absl::Status(status.code(), fmt::format("--postgres: {}", std::string(status.message())));
}

absl::StatusOr<ChosenStore> OpenPostgres(const std::string& url, const Clock& clock, size_t readers,
                                         StoreObserver observer) {
  absl::StatusOr<std::unique_ptr<PostgresTripStore>> store =
      PostgresTripStore::Open({.url = url,
                               .clock = clock,
                               .listener = std::move(observer.on_events),
                               .on_written = std::move(observer.on_written),
                               .on_commit = std::move(observer.on_commit),
                               .on_failure = observer.on_failure,
                               .readers = readers});
  if (!store.ok()) return OfPostgres(store.status());
  auto exchange = PostgresReportExchange::Open(
      {.url = url,
       .on_progress = std::move(observer.on_progress),
       .on_surge = std::move(observer.on_surge),
       .on_failure = [on_failure = std::move(observer.on_failure)](
                         const absl::Status& status) { on_failure(status, 0); }},
      std::chrono::steady_clock::now() + kOpenExchangeFor);
  if (!exchange.ok()) return OfPostgres(exchange.status());
  std::string place = (*store)->place();
  return ChosenStore{std::nullopt, *std::move(store), *std::move(exchange), std::move(place)};
}

}  // namespace

absl::StatusOr<ChosenStore> OpenStore(const StoreChoice& choice, const Clock& clock, size_t readers,
                                      StoreObserver observer, metrics::ServiceMetrics& metrics) {
  switch (choice.kind) {
    case StoreChoice::Kind::kSqlite:
      return OpenSqlite(choice.folder, clock, readers, std::move(observer), metrics);
    case StoreChoice::Kind::kPostgres:
      return OpenPostgres(choice.postgres, clock, readers, std::move(observer));
  }
  return absl::InternalError("unknown kind of store");
}

}  // namespace ridestream::trip
