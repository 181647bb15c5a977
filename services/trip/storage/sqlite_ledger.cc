#include "services/trip/storage/sqlite_ledger.h"

#include <fmt/format.h>

#include <utility>

#include "libs/proto_values/proto_values.h"

namespace ridestream::trip {

using sqlite::Blob;
using sqlite::Rows;
using sqlite::Statement;

struct SqliteLedger::Statements {
  Statement last_sequence;
  Statement find_quote;
  Statement save_quote;
  Statement drop_quote;
  Statement find_trip;
  Statement find_request;
  Statement find_open_trip;
  Statement find_trip_of_quote;
  Statement find_use;
  Statement find_driver_load;
  Statement insert_trip;
  Statement update_trip;
  Statement append_log;
  Statement insert_use;
  Statement find_lease;
  Statement write_lease;
};

namespace {

/// Compiles statements until one fails.
class Compiler {
 public:
  explicit Compiler(sqlite::Database& database) : database_(database) {}
  Statement operator()(const std::string& sql) {
    absl::StatusOr<Statement> statement = database_.Prepare(sql);
    if (statement.ok()) return *std::move(statement);
    if (status_.ok()) status_ = statement.status();
    return Statement(nullptr);
  }
  const absl::Status& status() const { return status_; }

 private:
  sqlite::Database& database_;
  absl::Status status_;
};

/// The first row, if there is one.
absl::StatusOr<bool> First(absl::StatusOr<Rows>& rows) {
  if (!rows.ok()) return rows.status();
  return rows->Next();
}

absl::Status Unreadable(const std::string& what) {
  return absl::DataLossError(fmt::format("{} is damaged in the database", what));
}

/// More than come in, so that the table shrinks to what was asked for within the retention.
constexpr int kDroppedPerQuote = 2;

constexpr char kFindRecord[] =
    "SELECT l.event, t.quote_id, t.seats, t.first_sequence FROM trips t JOIN trip_log l ON "
    "l.sequence = "
    "t.latest_sequence WHERE ";

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteLedger>> SqliteLedger::Open(sqlite::Database& database) {
  Compiler compile(database);
  // In the order of the members.
  auto statements = std::unique_ptr<Statements>(new Statements{
      compile("SELECT coalesce(max(sequence), 0) FROM trip_log"),
      compile("SELECT expires_at_us, trip FROM quotes WHERE quote_id = ?1"),
      compile("INSERT INTO quotes (quote_id, rider_id, expires_at_us, trip) "
              "VALUES (?1, ?2, ?3, ?4)"),
      compile("DELETE FROM quotes WHERE quote_id = "
              "(SELECT quote_id FROM quotes WHERE expires_at_us < ?1 LIMIT 1)"),
      compile(std::string(kFindRecord) + "t.trip_id = ?1"),
      compile(std::string(kFindRecord) + "t.rider_id = ?1 AND t.request_id = ?2"),
      compile("SELECT trip_id FROM trips WHERE rider_id = ?1 AND state < 5"),
      compile("SELECT trip_id FROM trips WHERE quote_id = ?1 LIMIT 1"),
      compile("SELECT trip_id, content FROM used_ids "
              "WHERE scope = ?1 AND caller = ?2 AND id = ?3"),
      compile("SELECT coalesce(sum(party_size), 0), "
              "coalesce(sum(CASE WHEN state = 4 THEN party_size END), 0), "
              "coalesce(sum(CASE WHEN latest_pickup_us IS NOT NULL THEN party_size END), 0) "
              "FROM trips WHERE driver_id = ?1 AND state < 5 AND trip_id <> ?2"),
      compile("INSERT INTO trips (first_sequence, latest_sequence, trip_id, market, rider_id, "
              "request_id, quote_id, state, version, party_size, latest_pickup_us, "
              "latest_dropoff_us) VALUES (?1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"),
      compile("UPDATE trips SET latest_sequence = ?1, state = ?2, version = ?3, driver_id = ?4, "
              "seats = ?5 WHERE first_sequence = ?6 AND state = ?7 AND version = ?8"),
      compile("INSERT INTO trip_log (sequence, trip, market, event) VALUES (?1, ?2, ?3, ?4)"),
      compile("INSERT INTO used_ids (scope, caller, id, trip_id, content) "
              "VALUES (?1, ?2, ?3, ?4, ?5)"),
      compile("SELECT holder, address, term, ends_at_us FROM leases WHERE market = ?1"),
      compile("INSERT INTO leases (market, holder, address, term, ends_at_us) "
              "VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (market) DO UPDATE SET "
              "holder = excluded.holder, address = excluded.address, term = excluded.term, "
              "ends_at_us = excluded.ends_at_us")});
  if (!compile.status().ok()) return compile.status();
  return std::unique_ptr<SqliteLedger>(new SqliteLedger(database, std::move(statements)));
}

SqliteLedger::SqliteLedger(sqlite::Database& database, std::unique_ptr<Statements> statements)
    : database_(database), statements_(std::move(statements)) {}

SqliteLedger::~SqliteLedger() = default;

absl::StatusOr<std::uint64_t> SqliteLedger::ReadLastSequence() {
  absl::StatusOr<Rows> rows = statements_->last_sequence.Query();
  const absl::StatusOr<bool> row = First(rows);
  if (!row.ok()) return row.status();
  last_sequence_ = rows->Uint64(0);
  return last_sequence_;
}

absl::StatusOr<std::optional<Quote>> SqliteLedger::FindQuote(const QuoteId& id) {
  absl::StatusOr<Rows> rows = statements_->find_quote.Query(id.str());
  const absl::StatusOr<bool> row = First(rows);
  if (!row.ok()) return row.status();
  if (!*row) return std::optional<Quote>();
  Quote quote{id, Time(Duration(rows->Int64(0))), {}};
  const std::string_view bytes = rows->Bytes(1);
  if (!quote.trip.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return Unreadable(fmt::format("quote {}", id));
  }
  return std::optional(std::move(quote));
}

absl::Status SqliteLedger::SaveQuote(const Quote& quote, Time now) {
  const Time dropped_before = now - kQuoteRetention;
  absl::Status status;
  for (int dropped = 0; dropped < kDroppedPerQuote; ++dropped) {
    status = statements_->drop_quote.Run(dropped_before.time_since_epoch().count());
    if (!status.ok()) return status;
    if (database_.changes() == 0) break;
  }
  quote.trip.SerializeToString(&buffer_);
  return statements_->save_quote.Run(quote.id.str(), quote.trip.passenger().rider_id(),
                                     quote.expires_at.time_since_epoch().count(), Blob{buffer_});
}

absl::StatusOr<std::optional<TripRecord>> SqliteLedger::ReadRecord(absl::StatusOr<Rows> rows) {
  const absl::StatusOr<bool> row = First(rows);
  if (!row.ok()) return row.status();
  if (!*row) return std::optional<TripRecord>();
  v1::TripEvent event;
  const std::string_view bytes = rows->Bytes(0);
  if (!event.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return Unreadable("an event of the log");
  }
  return std::optional(TripRecord{std::move(*event.mutable_trip()), QuoteId(rows->Text(1)),
                                  static_cast<std::uint32_t>(rows->Int64(2)), rows->Uint64(3)});
}

absl::StatusOr<std::optional<TripRecord>> SqliteLedger::FindTrip(const TripId& id) {
  return ReadRecord(statements_->find_trip.Query(id.str()));
}

absl::StatusOr<std::optional<TripRecord>> SqliteLedger::FindRequest(const RiderId& rider,
                                                                    const std::string& request_id) {
  return ReadRecord(statements_->find_request.Query(rider.str(), request_id));
}

absl::StatusOr<std::optional<TripId>> SqliteLedger::FindOpenTrip(const RiderId& rider) {
  absl::StatusOr<Rows> rows = statements_->find_open_trip.Query(rider.str());
  const absl::StatusOr<bool> row = First(rows);
  if (!row.ok()) return row.status();
  return *row ? std::optional(TripId(rows->Text(0))) : std::nullopt;
}

absl::StatusOr<std::optional<TripId>> SqliteLedger::FindTripOfQuote(const QuoteId& quote) {
  absl::StatusOr<Rows> rows = statements_->find_trip_of_quote.Query(quote.str());
  const absl::StatusOr<bool> row = First(rows);
  if (!row.ok()) return row.status();
  return *row ? std::optional(TripId(rows->Text(0))) : std::nullopt;
}

absl::StatusOr<std::optional<IdUse>> SqliteLedger::FindUse(const UsedId& id) {
  absl::StatusOr<Rows> rows =
      statements_->find_use.Query(static_cast<int>(id.scope), id.caller, id.id);
  const absl::StatusOr<bool> row = First(rows);
  if (!row.ok()) return row.status();
  if (!*row) return std::optional<IdUse>();
  return std::optional(IdUse{TripId(rows->Text(0)), std::string(rows->Text(1))});
}

absl::StatusOr<DriverLoad> SqliteLedger::FindDriverLoad(const DriverId& driver,
                                                        const TripId& except) {
  absl::StatusOr<Rows> rows = statements_->find_driver_load.Query(driver.str(), except.str());
  const absl::StatusOr<bool> row = First(rows);
  if (!row.ok()) return row.status();
  return DriverLoad{static_cast<std::uint32_t>(rows->Int64(0)),
                    static_cast<std::uint32_t>(rows->Int64(1)),
                    static_cast<std::uint32_t>(rows->Int64(2))};
}

absl::StatusOr<bool> SqliteLedger::Insert(const RequestCommand& command, v1::TripEvent& event) {
  const std::uint64_t sequence = last_sequence_ + 1;
  const v1::Trip& trip = event.trip();
  const auto run = [&](auto latest_pickup_us, auto latest_dropoff_us) {
    return statements_->insert_trip.Run(
        sequence, trip.trip_id(), trip.market(), command.rider.str(), command.request_id,
        command.quote_id.str(), static_cast<int>(trip.state()), trip.version(),
        trip.passenger().party_size(), latest_pickup_us, latest_dropoff_us);
  };
  const v1::Promise& promise = trip.promise();
  absl::Status status = trip.has_promise()
                            ? run(FromProto(promise.latest_pickup_at()).time_since_epoch().count(),
                                  FromProto(promise.latest_dropoff_at()).time_since_epoch().count())
                            : run(nullptr, nullptr);
  if (absl::IsFailedPrecondition(status)) {
    const absl::StatusOr<std::optional<TripId>> served = FindTripOfQuote(command.quote_id);
    if (served.ok() && served->has_value()) return false;
  }
  if (absl::IsAlreadyExists(status)) return false;
  if (!status.ok()) return status;
  event.set_sequence(sequence);
  if (status = AppendToLog(sequence, event); !status.ok()) return status;
  return true;
}

absl::Status SqliteLedger::Update(std::uint64_t first_sequence, std::uint32_t seats,
                                  v1::TripEvent& event) {
  const std::uint64_t sequence = last_sequence_ + 1;
  const v1::Trip& trip = event.trip();
  const std::string& driver_id = trip.driver().driver_id();
  const auto run = [&](auto driver) {
    return statements_->update_trip.Run(
        sequence, static_cast<int>(trip.state()), trip.version(), driver, seats, first_sequence,
        static_cast<int>(event.previous_state()), trip.version() - 1);
  };
  absl::Status status = driver_id.empty() ? run(nullptr) : run(std::string_view(driver_id));
  if (!status.ok()) return status;
  if (database_.changes() != 1) {
    return absl::AbortedError(fmt::format("trip {} was changed meanwhile", trip.trip_id()));
  }
  event.set_sequence(sequence);
  return AppendToLog(first_sequence, event);
}

absl::Status SqliteLedger::AppendToLog(std::uint64_t first_sequence, const v1::TripEvent& event) {
  event.SerializeToString(&buffer_);
  absl::Status status = statements_->append_log.Run(event.sequence(), first_sequence,
                                                    event.trip().market(), Blob{buffer_});
  if (status.ok()) last_sequence_ = event.sequence();
  return status;
}

absl::StatusOr<std::optional<Lease>> SqliteLedger::FindLease(const MarketId& market) {
  absl::StatusOr<Rows> rows = statements_->find_lease.Query(market.str());
  const absl::StatusOr<bool> row = First(rows);
  if (!row.ok()) return row.status();
  if (!*row) return std::optional<Lease>();
  return std::optional(Lease{market, std::string(rows->Text(0)), std::string(rows->Text(1)),
                             rows->Uint64(2), Time(Duration(rows->Int64(3)))});
}

absl::Status SqliteLedger::WriteLease(const Lease& lease) {
  return statements_->write_lease.Run(lease.market.str(), lease.holder, lease.address, lease.term,
                                      lease.ends_at.time_since_epoch().count());
}

absl::Status SqliteLedger::RecordUse(const UsedId& id, const IdUse& use) {
  return statements_->insert_use.Run(static_cast<int>(id.scope), id.caller, id.id,
                                     use.trip_id.str(), use.content);
}

}  // namespace ridestream::trip
