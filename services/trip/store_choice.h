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

/// Where trips are stored.
struct StoreChoice {
  enum class Kind { kSqlite, kPostgres };
  Kind kind = Kind::kSqlite;
  /// For kSqlite: the folder of the trip database, created if it is missing.
  std::string folder = "./data";
  /// For kPostgres: the database's connection URL or string, in libpq's format.
  std::string postgres = {};
};

/// Callbacks for a store's reports besides its answers. Called on threads of the store; must not
/// block.
struct StoreObserver {
  /// Every event of the log; see TripStore::Listener.
  TripStore::Listener on_events;
  /// The events of this process's commands.
  TripStore::Listener on_written;
  /// A transaction: the number of its commands, and the time until it was durable.
  std::function<void(size_t commands, std::chrono::nanoseconds took)> on_commit;
  /// The number of commands that failed with the disk or the database. 0 if the writes or reports
  /// of other processes can't be followed for a while.
  std::function<void(const absl::Status&, size_t commands)> on_failure;
  /// Reports of other processes on the same database, see PostgresReportExchange.
  std::function<void(const v1::ReportProgressRequest&)> on_progress;
  std::function<void(const v1::ReportSurgeRequest&, Time at)> on_surge;
};

/// An open store with the objects that it uses.
struct ChosenStore {
  std::optional<DataFolder> folder;  // Goes after the store.
  std::unique_ptr<TripStore> store;
  /// Null if the store isn't shared with other processes.
  std::unique_ptr<ReportExchange> exchange;
  /// Where trips are stored, as text for the log. Contains no password.
  std::string place;
};

/// Opens the store. `readers`: number of threads that read at the same time. `clock` must outlive
/// the store. Adds the metrics of this kind of store to `metrics`, whose exporter must be destroyed
/// before the store. Errors are those of DataFolder::Acquire, SqliteTripStore::Open and
/// PostgresTripStore::Open.
absl::StatusOr<ChosenStore> OpenStore(const StoreChoice& choice, const Clock& clock, size_t readers,
                                      StoreObserver observer, metrics::ServiceMetrics& metrics);

}  // namespace ridestream::trip
