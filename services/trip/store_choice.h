#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "libs/base/clock.h"
#include "libs/metrics/service_metrics.h"
#include "services/trip/domain/report_exchange.h"
#include "services/trip/domain/trip_store.h"
#include "services/trip/storage/data_folder.h"

namespace ridestream::trip {

/// Where trips are kept.
struct StoreChoice {
  enum class Kind { kSqlite, kPostgres };
  Kind kind = Kind::kSqlite;
  /// With kSqlite, the folder that holds the trips; made where it is missing.
  std::string folder = "./data";
  /// With kPostgres, the database, as libpq takes it.
  std::string postgres = {};
};

/// What a store reports besides its answers. Called on threads of the store; must not block.
struct StoreObserver {
  /// Every event of the log; see TripStore::Listener.
  TripStore::Listener on_events;
  /// The events that this process's commands made.
  TripStore::Listener on_written;
  /// A transaction: the number of its commands, and the time until it was durable.
  std::function<void(size_t commands, std::chrono::nanoseconds took)> on_commit;
  /// So many commands failed because the disk or the database did; with 0, what other
  /// processes write or report can't be followed for a while.
  std::function<void(const absl::Status&, size_t commands)> on_failure;
  /// What other processes of one database reported; see PostgresReportExchange.
  std::function<void(const v1::ReportProgressRequest&)> on_progress;
  std::function<void(const v1::ReportSurgeRequest&, Time at)> on_surge;
};

/// An open store with the objects that it uses.
struct ChosenStore {
  std::optional<DataFolder> folder;  // Goes after the store.
  std::unique_ptr<TripStore> store;
  /// Null where one process has the store alone.
  std::unique_ptr<ReportExchange> exchange;
  /// Where the trips are, for the log; without passwords.
  std::string place;
};

/// Opens the store. `readers`: threads that read at the same time. `clock` must outlive the store.
/// Adds to `metrics` what only that kind of store has; the exporter must be destroyed before the
/// store. Errors are those of DataFolder::Acquire, SqliteTripStore::Open and
/// PostgresTripStore::Open.
absl::StatusOr<ChosenStore> OpenStore(const StoreChoice& choice, const Clock& clock, size_t readers,
                                      StoreObserver observer, metrics::ServiceMetrics& metrics);

}  // namespace ridestream::trip
