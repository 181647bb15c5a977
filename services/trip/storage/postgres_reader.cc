#include "services/trip/storage/postgres_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "services/trip/storage/postgres_session.h"

namespace ridestream::trip {
namespace {

using postgres::Deadline;
using postgres::Result;
using postgres::Statement;

#define SELECT_TRIP                                                                \
  "SELECT t.first_sequence, l.event FROM trips t JOIN trip_log l ON l.sequence = " \
  "t.latest_sequence "
#define PAGE                                                                                   \
  "($1::text = '' OR t.market = $1) AND t.first_sequence < $2 ORDER BY t.first_sequence DESC " \
  "LIMIT $3"

constexpr Statement kGetTrip{"get_trip", SELECT_TRIP "WHERE t.trip_id = $1"};
constexpr Statement kListOfRider{"list_of_rider", SELECT_TRIP "WHERE t.rider_id = $4 AND " PAGE};
constexpr Statement kListAll{"list_all", SELECT_TRIP "WHERE " PAGE};
constexpr Statement kReadLog{
    "read_log",
    "SELECT sequence, market, event FROM trip_log WHERE sequence > $1 ORDER BY sequence LIMIT $2"};
constexpr Statement kOldestOpen{
    "oldest_open",
    "SELECT min(first_sequence) FROM trips WHERE state < 5 AND market = ANY($1::text[])"};
constexpr Statement kLastSequence{"last_sequence",
                                  "SELECT coalesce(max(sequence), 0) FROM trip_log"};
// Holds for this read alone: it ends with the pipeline's transaction.
constexpr Statement kSetTimeout{"set_timeout", "SELECT set_config('statement_timeout', $1, true)"};

constexpr Statement kReads[] = {kGetTrip,    kListOfRider,  kListAll,   kReadLog,
                                kOldestOpen, kLastSequence, kSetTimeout};

}  // namespace

absl::StatusOr<v1::TripEvent> ParseLoggedEvent(std::string_view bytes) {
  v1::TripEvent event;
  if (!event.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::DataLossError("an event of the log is damaged in the database");
  }
  return event;
}

absl::StatusOr<PostgresReaders::ConnectionPtr> PostgresReaders::Take(Deadline deadline) {
  MutexLock lock(mu_);
  while (taken_ == max_) {
    const std::chrono::milliseconds left = postgres::Left(deadline);
    if (left.count() == 0) {
      return absl::DeadlineExceededError("no connection for reading was free by the deadline");
    }
    returned_.WaitFor(mu_, left);
  }
  ++taken_;
  if (free_.empty()) return ConnectionPtr();
  ConnectionPtr connection = std::move(free_.back());
  free_.pop_back();
  return connection;
}

void PostgresReaders::Return(ConnectionPtr connection) {
  MutexLock lock(mu_);
  --taken_;
  if (connection != nullptr && !connection->broken()) free_.push_back(std::move(connection));
  returned_.Signal();
}

void PostgresReaders::ReportConnecting(const absl::Status& status) {
  {
    MutexLock lock(mu_);
    if (std::exchange(is_away_, !status.ok()) || status.ok()) return;
  }
  if (on_failure_) on_failure_(status);
}

absl::StatusOr<Result> PostgresReaders::Query(const Statement& statement,
                                              std::initializer_list<postgres::Parameter> parameters,
                                              Deadline deadline) {
  deadline = std::min<Deadline>(deadline, std::chrono::steady_clock::now() + kMaxRead);
  absl::StatusOr<ConnectionPtr> taken = Take(deadline);
  if (!taken.ok()) return taken.status();
  ConnectionPtr connection = *std::move(taken);
  absl::StatusOr<Result> result = absl::UnavailableError("not read");
  for (int attempt = 0; attempt < 2; ++attempt) {
    const std::chrono::milliseconds left = postgres::Left(deadline);
    if (left.count() == 0) {
      result = absl::DeadlineExceededError("not read by the deadline");
      break;
    }
    if (connection == nullptr || connection->broken()) {
      auto opened =
          OpenPostgresSession(url_, kReads, /*for_writing=*/false, deadline + kPostgresGrace);
      ReportConnecting(opened.status());
      if (!opened.ok()) {
        result = ForCallers(Outage(opened.status()));
        break;
      }
      connection = *std::move(opened);
    }
    connection->Send(kSetTimeout, {left.count()});
    connection->Send(statement, parameters);
    absl::StatusOr<std::vector<Result>> results = connection->Sync(deadline + kPostgresGrace);
    if (results.ok()) {
      result = std::move(results->back());
      break;
    }
    result = results.status();
    if (!connection->broken()) break;
  }
  Return(std::move(connection));
  return result;
}

absl::StatusOr<v1::Trip> PostgresReaders::GetTrip(const TripId& id, Deadline deadline) {
  const absl::StatusOr<Result> found = Query(kGetTrip, {id.str()}, deadline);
  if (!found.ok()) return found.status();
  if (found->rows() == 0) return absl::NotFoundError(fmt::format("there is no trip {}", id));
  absl::StatusOr<v1::TripEvent> event = ParseLoggedEvent(found->Text(0, 1));
  if (!event.ok()) return event.status();
  return std::move(*event->mutable_trip());
}

absl::StatusOr<TripPage> PostgresReaders::ListTrips(const TripFilter& filter, std::uint64_t before,
                                                    size_t limit, Deadline deadline) {
  const std::int64_t bound = before == 0 ? INT64_MAX : static_cast<std::int64_t>(before);
  // One more than asked for tells whether there is a next page.
  const absl::StatusOr<Result> found =
      filter.rider.empty()
          ? Query(kListAll, {filter.market.str(), bound, limit + 1}, deadline)
          : Query(kListOfRider, {filter.market.str(), bound, limit + 1, filter.rider.str()},
                  deadline);
  if (!found.ok()) return found.status();
  TripPage page;
  for (int row = 0; row < found->rows(); ++row) {
    if (page.trips.size() == limit) {
      page.next_before = found->Uint64(row - 1, 0);
      break;
    }
    absl::StatusOr<v1::TripEvent> event = ParseLoggedEvent(found->Text(row, 1));
    if (!event.ok()) return event.status();
    page.trips.push_back(std::move(*event->mutable_trip()));
  }
  return page;
}

absl::StatusOr<LogPage> PostgresReaders::ReadLog(std::uint64_t after,
                                                 const std::vector<std::string>& markets,
                                                 size_t limit) {
  const absl::StatusOr<Result> found = Query(kReadLog, {after, limit}, TripStore::kNoDeadline);
  if (!found.ok()) return found.status();
  LogPage page;
  page.last_sequence = after;
  for (int row = 0; row < found->rows(); ++row) {
    page.last_sequence = found->Uint64(row, 0);
    if (std::find(markets.begin(), markets.end(), found->Text(row, 1)) == markets.end()) continue;
    absl::StatusOr<v1::TripEvent> event = ParseLoggedEvent(found->Text(row, 2));
    if (!event.ok()) return event.status();
    page.events.push_back(*std::move(event));
  }
  return page;
}

absl::StatusOr<std::optional<std::uint64_t>> PostgresReaders::OldestOpen(
    const std::vector<std::string>& markets) {
  const absl::StatusOr<Result> found = Query(kOldestOpen, {markets}, TripStore::kNoDeadline);
  if (!found.ok()) return found.status();
  if (found->IsNull(0, 0)) return std::optional<std::uint64_t>();
  return std::optional(found->Uint64(0, 0));
}

absl::StatusOr<std::uint64_t> PostgresReaders::ReadLastSequence() {
  const absl::StatusOr<Result> found = Query(kLastSequence, {}, TripStore::kNoDeadline);
  if (!found.ok()) return found.status();
  return found->Uint64(0, 0);
}

}  // namespace ridestream::trip
