#include "services/trip/storage/sqlite_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace ridestream::trip {

using sqlite::Rows;
using sqlite::Statement;

struct SqliteReader::Statements {
  Statement get_trip;
  Statement list_of_rider;
  Statement list_all;
  Statement read_log;
  Statement oldest_open;
};

namespace {

absl::StatusOr<v1::TripEvent> ParseEvent(std::string_view bytes) {
  v1::TripEvent event;
  if (!event.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::DataLossError("an event of the log is damaged in the database");
  }
  return event;
}

constexpr char kSelectTrip[] =
    "SELECT t.first_sequence, l.event FROM trips t JOIN trip_log l ON l.sequence = "
    "t.latest_sequence WHERE ";
constexpr char kPageOf[] =
    "(?2 = '' OR t.market = ?2) AND t.first_sequence < ?3 ORDER BY t.first_sequence DESC LIMIT ?4";

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteReader>> SqliteReader::Open(
    const std::string& path, const sqlite::OpenOptions& options) {
  absl::StatusOr<sqlite::Database> database = sqlite::Database::Open(path, options);
  if (!database.ok()) return database.status();
  const std::string queries[] = {
      std::string(kSelectTrip) + "t.trip_id = ?1",
      // The inner query finds and sorts a rider's trips in an index alone, without their events.
      std::string(kSelectTrip) +
          "t.first_sequence IN (SELECT t.first_sequence FROM trips t WHERE t.rider_id = ?1 AND " +
          kPageOf + ") ORDER BY t.first_sequence DESC",
      std::string(kSelectTrip) + "?1 = '' AND " + kPageOf,
      std::string("SELECT sequence, market, event FROM trip_log WHERE sequence > ?1 ") +
          "ORDER BY sequence LIMIT ?2",
      // A walk over the open trips alone.
      std::string("SELECT min(first_sequence) FROM trips INDEXED BY one_open_trip_a_rider ") +
          "WHERE state < 5 AND market = ?1"};
  std::vector<Statement> compiled;
  for (const std::string& sql : queries) {
    absl::StatusOr<Statement> statement = database->Prepare(sql);
    if (!statement.ok()) return statement.status();
    compiled.push_back(*std::move(statement));
  }
  auto statements = std::unique_ptr<Statements>(
      new Statements{std::move(compiled[0]), std::move(compiled[1]), std::move(compiled[2]),
                     std::move(compiled[3]), std::move(compiled[4])});
  return std::unique_ptr<SqliteReader>(
      new SqliteReader(*std::move(database), std::move(statements)));
}

SqliteReader::SqliteReader(sqlite::Database database, std::unique_ptr<Statements> statements)
    : database_(std::move(database)), statements_(std::move(statements)) {}

SqliteReader::~SqliteReader() = default;

absl::StatusOr<v1::Trip> SqliteReader::GetTrip(const TripId& id) {
  absl::StatusOr<Rows> rows = statements_->get_trip.Query(id.str());
  if (!rows.ok()) return rows.status();
  const absl::StatusOr<bool> row = rows->Next();
  if (!row.ok()) return row.status();
  if (!*row) return absl::NotFoundError(fmt::format("there is no trip {}", id));
  absl::StatusOr<v1::TripEvent> event = ParseEvent(rows->Bytes(1));
  if (!event.ok()) return event.status();
  return std::move(*event->mutable_trip());
}

absl::StatusOr<TripPage> SqliteReader::ListTrips(const TripFilter& filter, std::uint64_t before,
                                                 size_t limit) {
  Statement& list = filter.rider.empty() ? statements_->list_all : statements_->list_of_rider;
  const std::int64_t bound = before == 0 ? INT64_MAX : static_cast<std::int64_t>(before);
  // One more than asked for tells whether there is a next page.
  absl::StatusOr<Rows> rows = list.Query(filter.rider.str(), filter.market.str(), bound, limit + 1);
  if (!rows.ok()) return rows.status();
  TripPage page;
  std::uint64_t last = 0;
  for (;;) {
    const absl::StatusOr<bool> row = rows->Next();
    if (!row.ok()) return row.status();
    if (!*row) return page;
    if (page.trips.size() == limit) {
      page.next_before = last;
      return page;
    }
    absl::StatusOr<v1::TripEvent> event = ParseEvent(rows->Bytes(1));
    if (!event.ok()) return event.status();
    page.trips.push_back(std::move(*event->mutable_trip()));
    last = rows->Uint64(0);
  }
}

absl::StatusOr<LogPage> SqliteReader::ReadLog(std::uint64_t after,
                                              const std::vector<std::string>& markets,
                                              size_t limit) {
  absl::StatusOr<Rows> rows = statements_->read_log.Query(after, limit);
  if (!rows.ok()) return rows.status();
  LogPage page;
  page.last_sequence = after;
  for (;;) {
    const absl::StatusOr<bool> row = rows->Next();
    if (!row.ok()) return row.status();
    if (!*row) return page;
    page.last_sequence = rows->Uint64(0);
    if (std::find(markets.begin(), markets.end(), rows->Text(1)) == markets.end()) continue;
    absl::StatusOr<v1::TripEvent> event = ParseEvent(rows->Bytes(2));
    if (!event.ok()) return event.status();
    page.events.push_back(*std::move(event));
  }
}

absl::StatusOr<std::optional<std::uint64_t>> SqliteReader::OldestOpen(
    const std::vector<std::string>& markets) {
  std::optional<std::uint64_t> oldest;
  for (const std::string& market : markets) {
    absl::StatusOr<Rows> rows = statements_->oldest_open.Query(market);
    if (!rows.ok()) return rows.status();
    const absl::StatusOr<bool> row = rows->Next();
    if (!row.ok()) return row.status();
    if (!*row || rows->IsNull(0)) continue;
    const std::uint64_t first = rows->Uint64(0);
    oldest = std::min(oldest.value_or(first), first);
  }
  return oldest;
}

absl::StatusOr<std::unique_ptr<SqliteReader>> SqliteReaderPool::Take() {
  {
    MutexLock lock(mu_);
    while (free_.empty() && opened_ == max_) returned_.Wait(mu_);
    if (!free_.empty()) {
      std::unique_ptr<SqliteReader> reader = std::move(free_.back());
      free_.pop_back();
      return reader;
    }
    ++opened_;
  }
  absl::StatusOr<std::unique_ptr<SqliteReader>> reader = SqliteReader::Open(path_, options_);
  if (!reader.ok()) {
    MutexLock lock(mu_);
    --opened_;
    returned_.Signal();
  }
  return reader;
}

void SqliteReaderPool::Return(std::unique_ptr<SqliteReader> reader) {
  MutexLock lock(mu_);
  free_.push_back(std::move(reader));
  returned_.Signal();
}

}  // namespace ridestream::trip
