#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/base/mutex.h"
#include "libs/postgres/connection.h"
#include "services/trip/domain/trip_store.h"

namespace ridestream::trip {

/// The store's reads, on a bounded pool of connections that are opened when needed. A read waits if
/// all are in use. If its connection is lost, a read is tried once more on a new one. Thread-safe.
class PostgresReaders {
 public:
  /// Time limit of reads without a deadline.
  static constexpr std::chrono::seconds kMaxRead{10};

  /// `on_failure` is called on the reading thread with the reason when no connection can be opened,
  /// and again only after one was opened in between.
  PostgresReaders(std::string url, size_t max,
                  std::function<void(const absl::Status&)> on_failure = nullptr)
      : url_(std::move(url)), max_(max), on_failure_(std::move(on_failure)) {}

  // See TripStore.
  absl::StatusOr<v1::Trip> GetTrip(const TripId& id, postgres::Deadline deadline);
  absl::StatusOr<TripPage> ListTrips(const TripFilter& filter, std::uint64_t before, size_t limit,
                                     postgres::Deadline deadline);
  absl::StatusOr<LogPage> ReadLog(std::uint64_t after, const std::vector<std::string>& markets,
                                  size_t limit);
  absl::StatusOr<std::optional<std::uint64_t>> OldestOpen(const std::vector<std::string>& markets);
  absl::StatusOr<std::uint64_t> ReadLastSequence();

 private:
  using ConnectionPtr = std::unique_ptr<postgres::Connection>;
  absl::StatusOr<postgres::Result> Query(const postgres::Statement& statement,
                                         std::initializer_list<postgres::Parameter> parameters,
                                         postgres::Deadline deadline);
  /// Waits for a slot of the pool, whose connection may be null or broken.
  absl::StatusOr<ConnectionPtr> Take(postgres::Deadline deadline);
  void Return(ConnectionPtr connection);
  void ReportConnecting(const absl::Status& status);

  const std::string url_;
  const size_t max_;
  const std::function<void(const absl::Status&)> on_failure_;
  Mutex mu_;
  CondVar returned_;
  std::vector<ConnectionPtr> free_ ABSL_GUARDED_BY(mu_);
  size_t taken_ ABSL_GUARDED_BY(mu_) = 0;
  bool is_away_ ABSL_GUARDED_BY(mu_) = false;  // The last connection couldn't be opened.
};

/// Parses the event in a row of the log.
absl::StatusOr<v1::TripEvent> ParseLoggedEvent(std::string_view bytes);

}  // namespace ridestream::trip
