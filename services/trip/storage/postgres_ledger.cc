#include "services/trip/storage/postgres_ledger.h"

#include <fmt/format.h>

#include <set>

#include "libs/proto_values/proto_values.h"
#include "services/trip/domain/names.h"
#include "services/trip/storage/postgres_schema.h"
#include "services/trip/storage/postgres_session.h"

namespace ridestream::trip {
namespace {

using postgres::Bytes;
using postgres::Connection;
using postgres::Result;
using postgres::Statement;

/// More than come in, so that the table shrinks to what was asked for within the retention.
constexpr std::int64_t kDroppedPerQuote = 2;

#define RECORD_COLUMNS "t.trip_id, l.event, t.quote_id, t.seats, t.first_sequence"
#define JOIN_LOG "JOIN trip_log l ON l.sequence = t.latest_sequence "

constexpr Statement kBegin{"begin", "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"};
// A process that stops in the middle of a transaction must not keep the others from writing.
constexpr Statement kSetTimeouts{"set_timeouts",
                                 "SELECT set_config('statement_timeout', $1, true), "
                                 "set_config('idle_in_transaction_session_timeout', '5s', true)"};
// The statements after it see all that was committed before the lock was given: each takes a
// snapshot of its own.
constexpr Statement kLock{"lock", "SELECT pg_advisory_xact_lock($1)"};
constexpr Statement kLogEnd{"log_end", "SELECT coalesce(max(sequence), 0) FROM trip_log"};
constexpr Statement kFindTrips{"find_trips", "SELECT " RECORD_COLUMNS " FROM trips t " JOIN_LOG
                                             "WHERE t.trip_id = ANY($1::text[])"};
constexpr Statement kFindRequests{
    "find_requests",
    "SELECT " RECORD_COLUMNS
    ", t.rider_id, t.request_id FROM unnest($1::text[], $2::text[]) AS k (rider_id, request_id) "
    "JOIN trips t ON t.rider_id = k.rider_id AND t.request_id = k.request_id " JOIN_LOG};
constexpr Statement kFindOpen{
    "find_open",
    "SELECT rider_id, trip_id FROM trips WHERE rider_id = ANY($1::text[]) AND state < 5"};
constexpr Statement kFindQuotes{
    "find_quotes",
    "SELECT quote_id, expires_at_us, trip FROM quotes WHERE quote_id = ANY($1::text[])"};
constexpr Statement kFindServed{
    "find_served", "SELECT quote_id, trip_id FROM trips WHERE quote_id = ANY($1::text[])"};
constexpr Statement kFindUses{
    "find_uses",
    "SELECT u.scope, u.caller, u.id, u.trip_id, u.content "
    "FROM unnest($1::bigint[], $2::text[], $3::text[]) AS k (scope, caller, id) "
    "JOIN used_ids u ON u.scope = k.scope::smallint AND u.caller = k.caller AND u.id = k.id"};
constexpr Statement kFindLoads{
    "find_loads",
    "SELECT driver_id, trip_id, party_size, state, latest_pickup_us IS NOT NULL FROM trips "
    "WHERE driver_id = ANY($1::text[]) AND state < 5"};
// There are as many as markets. All processes on the database judge them by its clock.
constexpr Statement kFindLeases{
    "find_leases",
    "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, market, holder, address, "
    "term, ends_at_us FROM (SELECT) AS once LEFT JOIN leases ON true"};
constexpr Statement kWriteLease{
    "write_lease",
    "INSERT INTO leases (market, holder, address, term, ends_at_us) VALUES ($1, $2, $3, $4, $5) "
    "ON CONFLICT (market) DO UPDATE SET holder = excluded.holder, address = excluded.address, "
    "term = excluded.term, ends_at_us = excluded.ends_at_us"};
constexpr Statement kInsertQuote{
    "insert_quote",
    "INSERT INTO quotes (quote_id, rider_id, expires_at_us, trip) VALUES ($1, $2, $3, $4)"};
constexpr Statement kDropQuotes{
    "drop_quotes",
    "DELETE FROM quotes WHERE quote_id IN (SELECT quote_id FROM quotes WHERE expires_at_us < $1 "
    "ORDER BY expires_at_us LIMIT $2)"};
constexpr Statement kInsertTrip{
    "insert_trip",
    "INSERT INTO trips (first_sequence, latest_sequence, trip_id, market, rider_id, request_id, "
    "quote_id, state, version, party_size, latest_pickup_us, latest_dropoff_us) "
    "VALUES ($1, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"};
constexpr Statement kUpdateTrip{
    "update_trip",
    "UPDATE trips SET latest_sequence = $1, state = $2, version = $3, driver_id = $4, seats = $5 "
    "WHERE first_sequence = $6 AND state = $7 AND version = $8"};
constexpr Statement kAppendLog{
    "append_log", "INSERT INTO trip_log (sequence, trip, market, event) VALUES ($1, $2, $3, $4)"};
constexpr Statement kInsertUse{
    "insert_use",
    "INSERT INTO used_ids (scope, caller, id, trip_id, content) VALUES ($1, $2, $3, $4, $5)"};
constexpr Statement kNotify{"notify", "SELECT pg_notify($1, $2)"};
constexpr Statement kCommit{"commit", "COMMIT"};
constexpr Statement kFindEvent{"find_event", "SELECT event FROM trip_log WHERE sequence = $1"};
constexpr Statement kFindQuote{"find_quote", "SELECT 1 FROM quotes WHERE quote_id = $1"};
// A commit that wrote nothing waits for no disk and no standby. With this record it waits for all
// that stands before it.
constexpr Statement kMark{"mark", "SELECT pg_logical_emit_message(true, 'ridestream', '')"};

constexpr Statement kStatements[] = {
    kBegin,      kSetTimeouts, kLock,       kLogEnd,    kFindTrips,  kFindRequests,
    kFindOpen,   kFindQuotes,  kFindServed, kFindUses,  kFindLoads,  kInsertQuote,
    kDropQuotes, kInsertTrip,  kUpdateTrip, kAppendLog, kInsertUse,  kNotify,
    kCommit,     kFindEvent,   kFindQuote,  kMark,      kFindLeases, kWriteLease};

absl::Status Unreadable(std::string_view what) {
  return absl::DataLossError(fmt::format("{} is damaged in the database", what));
}

template <class Map, class Key>
auto FindIn(const Map& map, const Key& key) -> std::optional<typename Map::mapped_type> {
  const auto found = map.find(key);
  return found == map.end() ? std::nullopt : std::optional(found->second);
}

std::vector<std::string> Texts(const std::set<std::string>& texts) {
  return {texts.begin(), texts.end()};
}

}  // namespace

/// What the commands of a batch may ask the ledger for.
struct PostgresLedger::Keys {
  explicit Keys(const Batch& batch) {
    for (const Work& work : batch) {
      if (const auto* trip = std::get_if<TripWork>(&work)) {
        std::visit(*this, trip->command);
        leases = leases || TermOf(trip->command).has_value();
      }
      leases = leases || std::holds_alternative<LeaseWork>(work);
    }
  }

  void operator()(const RequestCommand& command) {
    if (requests.emplace(command.rider.str(), command.request_id).second) {
      request_riders.push_back(command.rider.str());
      request_ids.push_back(command.request_id);
    }
    riders.insert(command.rider.str());
    quotes.insert(command.quote_id.str());
    trips.insert(command.trip_id.str());
  }
  void operator()(const CancelCommand& command) {
    trips.insert(command.trip_id.str());
    Use(IdScope::kCancel,
        command.service.empty() ? fmt::format("rider/{}", command.rider)
                                : fmt::format("service/{}", command.service),
        command.request_id);
  }
  void operator()(const ChangeDestinationCommand& command) {
    trips.insert(command.trip_id.str());
    Use(IdScope::kChangeDestination, fmt::format("rider/{}", command.rider), command.request_id);
  }
  void operator()(const AssignCommand& command) {
    trips.insert(command.trip_id.str());
    drivers.insert(command.driver.driver_id());
    Use(IdScope::kAssign, "", command.offer_id.str());
  }
  void operator()(const AdvanceCommand& command) {
    trips.insert(command.trip_id.str());
    if (command.to == v1::TRIP_STATE_ABOARD) drivers.insert(command.driver_id.str());
  }
  template <class PlainCommand>
  void operator()(const PlainCommand& command) {
    trips.insert(command.trip_id.str());
  }

  void Use(IdScope scope, std::string caller, const std::string& id) {
    use_scopes.push_back(static_cast<std::int64_t>(scope));
    use_callers.push_back(std::move(caller));
    use_ids.push_back(id);
  }

  std::set<std::pair<std::string, std::string>> requests;
  std::vector<std::string> request_riders, request_ids;
  std::set<std::string> riders, quotes, trips, drivers;
  std::vector<std::int64_t> use_scopes;
  std::vector<std::string> use_callers, use_ids;
  bool leases = false;  // A command bound to a term, or about a lease.
};

/// Sends the queries whose keys aren't empty, and reads their results into the ledger.
struct PostgresLedger::Loader {
  using Read = absl::Status (*)(PostgresLedger&, const Result&, int row);

  void Send(Connection& connection, const Statement& statement,
            std::initializer_list<postgres::Parameter> parameters, Read read) {
    connection.Send(statement, parameters);
    readers.push_back(read);
  }
  absl::Status ReadResults(PostgresLedger& ledger, const std::vector<Result>& results) const {
    for (std::size_t i = 0; i < readers.size(); ++i) {
      for (int row = 0; readers[i] != nullptr && row < results[i].rows(); ++row) {
        if (absl::Status status = readers[i](ledger, results[i], row); !status.ok()) return status;
      }
    }
    return absl::OkStatus();
  }

  static absl::Status ReadRecord(PostgresLedger& ledger, const Result& result, int row) {
    v1::TripEvent event;
    if (!event.ParseFromString(std::string(result.Text(row, 1)))) {
      return Unreadable("an event of the log");
    }
    const TripId id(result.Text(row, 0));
    const TripRecord record{std::move(*event.mutable_trip()), QuoteId(result.Text(row, 2)),
                            static_cast<std::uint32_t>(result.Int64(row, 3)),
                            result.Uint64(row, 4)};
    ledger.trips_.emplace(id, record);
    return absl::OkStatus();
  }
  static absl::Status ReadRequest(PostgresLedger& ledger, const Result& result, int row) {
    const RiderId rider(result.Text(row, 5));
    ledger.by_request_[{rider, std::string(result.Text(row, 6))}] = TripId(result.Text(row, 0));
    return ReadRecord(ledger, result, row);
  }
  static absl::Status ReadQuote(PostgresLedger& ledger, const Result& result, int row) {
    Quote quote{QuoteId(result.Text(row, 0)), Time(Duration(result.Int64(row, 1))), {}};
    if (!quote.trip.ParseFromString(std::string(result.Text(row, 2)))) {
      return Unreadable(fmt::format("quote {}", quote.id));
    }
    const QuoteId id = quote.id;
    ledger.quotes_.emplace(id, std::move(quote));
    return absl::OkStatus();
  }

  static absl::Status ReadLease(PostgresLedger& ledger, const Result& result, int row) {
    ledger.database_time_ = TimeSource::SystemTime(std::chrono::microseconds(result.Int64(row, 0)));
    if (result.IsNull(row, 1)) return absl::OkStatus();  // There is none.
    const MarketId market(result.Text(row, 1));
    ledger.leases_[market] =
        Lease{market, std::string(result.Text(row, 2)), std::string(result.Text(row, 3)),
              result.Uint64(row, 4), Time(Duration(result.Int64(row, 5)))};
    return absl::OkStatus();
  }

  std::vector<Read> readers;  // One per result; null for a result without rows to read.
};

std::span<const Statement> PostgresLedger::Statements() { return kStatements; }

absl::Status PostgresLedger::Begin(Connection& connection, const Batch& batch,
                                   postgres::Deadline deadline) {
  const Keys keys(batch);
  Loader loader;
  loader.Send(connection, kBegin, {}, nullptr);
  // 0 would mean no limit.
  const auto limit = std::max<std::int64_t>(postgres::Left(deadline).count(), 1);
  loader.Send(connection, kSetTimeouts, {limit}, nullptr);
  loader.Send(connection, kLock, {kPostgresLogLock}, nullptr);
  loader.Send(connection, kLogEnd, {}, [](PostgresLedger& ledger, const Result& result, int row) {
    ledger.last_sequence_ = ledger.loaded_sequence_ = result.Uint64(row, 0);
    return absl::OkStatus();
  });
  if (!keys.trips.empty()) {
    loader.Send(connection, kFindTrips, {Texts(keys.trips)}, Loader::ReadRecord);
  }
  if (!keys.request_ids.empty()) {
    loader.Send(connection, kFindRequests, {keys.request_riders, keys.request_ids},
                Loader::ReadRequest);
    loader.Send(connection, kFindQuotes, {Texts(keys.quotes)}, Loader::ReadQuote);
    loader.Send(connection, kFindOpen, {Texts(keys.riders)},
                [](PostgresLedger& ledger, const Result& result, int row) {
                  ledger.open_by_rider_[RiderId(result.Text(row, 0))] = TripId(result.Text(row, 1));
                  return absl::OkStatus();
                });
    loader.Send(connection, kFindServed, {Texts(keys.quotes)},
                [](PostgresLedger& ledger, const Result& result, int row) {
                  ledger.by_quote_[QuoteId(result.Text(row, 0))] = TripId(result.Text(row, 1));
                  return absl::OkStatus();
                });
  }
  if (!keys.use_ids.empty()) {
    loader.Send(
        connection, kFindUses, {keys.use_scopes, keys.use_callers, keys.use_ids},
        [](PostgresLedger& ledger, const Result& result, int row) {
          const auto scope = static_cast<IdScope>(result.Int64(row, 0));
          ledger
              .uses_[{scope, std::string(result.Text(row, 1)), std::string(result.Text(row, 2))}] =
              IdUse{TripId(result.Text(row, 3)), std::string(result.Text(row, 4))};
          return absl::OkStatus();
        });
  }
  if (!keys.drivers.empty()) {
    loader.Send(connection, kFindLoads, {Texts(keys.drivers)},
                [](PostgresLedger& ledger, const Result& result, int row) {
                  ledger.loads_[DriverId(result.Text(row, 0))][TripId(result.Text(row, 1))] =
                      Load{static_cast<std::uint32_t>(result.Int64(row, 2)),
                           result.Int64(row, 3) == v1::TRIP_STATE_ABOARD, result.Bool(row, 4)};
                  return absl::OkStatus();
                });
  }
  if (keys.leases) loader.Send(connection, kFindLeases, {}, Loader::ReadLease);
  const absl::StatusOr<std::vector<Result>> results = connection.Sync(deadline + kPostgresGrace);
  if (!results.ok()) return results.status();
  return loader.ReadResults(*this, *results);
}

absl::Status PostgresLedger::Commit(Connection& connection, Time now, postgres::Deadline deadline) {
  if (saved_quotes_ > 0) {
    const Time dropped_before = now - kQuoteRetention;
    Queue(kDropQuotes,
          {dropped_before.time_since_epoch().count(), saved_quotes_ * kDroppedPerQuote});
  }
  if (last_sequence_ > loaded_sequence_) {
    Queue(kNotify, {kPostgresLogChannel, std::to_string(last_sequence_)});
  }
  // Also an answer that changes nothing tells of what others committed a moment ago.
  if (writes_.empty()) Queue(kMark, {});
  for (const Write& write : writes_) connection.Send(*write.statement, write.parameters);
  connection.Send(kCommit);
  const absl::StatusOr<std::vector<Result>> results = connection.Sync(deadline + kPostgresGrace);
  if (!results.ok()) return results.status();
  if (results->back().command() != "COMMIT") {
    return absl::InternalError("PostgreSQL rolled a transaction back without an error");
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> PostgresLedger::FindOutcome(Connection& connection,
                                                 postgres::Deadline deadline) {
  connection.Send(kBegin);
  connection.Send(kSetTimeouts, {std::max<std::int64_t>(postgres::Left(deadline).count(), 1)});
  connection.Send(kLock, {kPostgresLogLock});  // The lost transaction held it until its end.
  connection.Send(kFindEvent, {last_sequence_});
  connection.Send(kFindQuote, {last_quote_id_});
  connection.Send(kMark);
  connection.Send(kCommit);
  const absl::StatusOr<std::vector<Result>> results = connection.Sync(deadline + kPostgresGrace);
  if (!results.ok()) return results.status();
  const Result& event = (*results)[3];
  if (!last_event_.empty()) return event.rows() == 1 && event.Text(0, 0) == last_event_;
  return saved_quotes_ > 0 && (*results)[4].rows() == 1;
}

absl::StatusOr<std::optional<Quote>> PostgresLedger::FindQuote(const QuoteId& id) {
  return FindIn(quotes_, id);
}

absl::StatusOr<std::optional<TripRecord>> PostgresLedger::FindTrip(const TripId& id) {
  return FindIn(trips_, id);
}

absl::StatusOr<std::optional<TripRecord>> PostgresLedger::FindRequest(
    const RiderId& rider, const std::string& request_id) {
  const auto found = by_request_.find({rider, request_id});
  if (found == by_request_.end()) return std::optional<TripRecord>();
  return FindIn(trips_, found->second);
}

absl::StatusOr<std::optional<TripId>> PostgresLedger::FindOpenTrip(const RiderId& rider) {
  return FindIn(open_by_rider_, rider);
}

absl::StatusOr<std::optional<TripId>> PostgresLedger::FindTripOfQuote(const QuoteId& quote) {
  return FindIn(by_quote_, quote);
}

absl::StatusOr<std::optional<IdUse>> PostgresLedger::FindUse(const UsedId& id) {
  return FindIn(uses_, UseKey{id.scope, id.caller, id.id});
}

absl::StatusOr<DriverLoad> PostgresLedger::FindDriverLoad(const DriverId& driver,
                                                          const TripId& except) {
  DriverLoad load;
  const auto found = loads_.find(driver);
  if (found == loads_.end()) return load;
  for (const auto& [trip, taken] : found->second) {
    if (trip == except) continue;
    load.open_riders += taken.party_size;
    if (taken.aboard) load.aboard_riders += taken.party_size;
    if (taken.shares) load.sharing_riders += taken.party_size;
  }
  return load;
}

void PostgresLedger::Queue(const Statement& statement,
                           std::vector<postgres::Parameter> parameters) {
  writes_.push_back({&statement, std::move(parameters)});
}

absl::StatusOr<bool> PostgresLedger::Insert(const RequestCommand& command, v1::TripEvent& event) {
  if (by_request_.contains({command.rider, command.request_id}) ||
      open_by_rider_.contains(command.rider) || by_quote_.contains(command.quote_id)) {
    return false;
  }
  if (trips_.contains(command.trip_id)) {
    return absl::AlreadyExistsError(fmt::format("there is a trip {} already", command.trip_id));
  }
  const std::uint64_t sequence = last_sequence_ + 1;
  event.set_sequence(sequence);
  const v1::Trip& trip = event.trip();
  std::vector<postgres::Parameter> row = {sequence,
                                          trip.trip_id(),
                                          trip.market(),
                                          command.rider.str(),
                                          command.request_id,
                                          command.quote_id.str(),
                                          static_cast<int>(trip.state()),
                                          trip.version(),
                                          trip.passenger().party_size()};
  if (trip.has_promise()) {
    row.emplace_back(FromProto(trip.promise().latest_pickup_at()).time_since_epoch().count());
    row.emplace_back(FromProto(trip.promise().latest_dropoff_at()).time_since_epoch().count());
  } else {
    row.insert(row.end(), {nullptr, nullptr});
  }
  Queue(kInsertTrip, std::move(row));
  trips_[command.trip_id] = {trip, command.quote_id, 0, sequence};
  by_request_[{command.rider, command.request_id}] = command.trip_id;
  open_by_rider_[command.rider] = command.trip_id;
  by_quote_[command.quote_id] = command.trip_id;
  AppendToLog(sequence, event);
  return true;
}

absl::Status PostgresLedger::Update(std::uint64_t first_sequence, std::uint32_t seats,
                                    v1::TripEvent& event) {
  event.set_sequence(last_sequence_ + 1);
  const v1::Trip& trip = event.trip();
  const std::string& driver = trip.driver().driver_id();
  Queue(kUpdateTrip,
        {event.sequence(), static_cast<int>(trip.state()), trip.version(),
         driver.empty() ? postgres::Parameter(nullptr) : postgres::Parameter(driver), seats,
         first_sequence, static_cast<int>(event.previous_state()), trip.version() - 1});
  TripRecord& record = trips_[TripId(trip.trip_id())];
  NoteLoad(record.trip, trip);
  record.trip = trip;
  record.seats = seats;
  if (!IsOpen(trip.state())) open_by_rider_.erase(RiderId(trip.passenger().rider_id()));
  AppendToLog(first_sequence, event);
  return absl::OkStatus();
}

/// Also of drivers whose other trips weren't loaded: nobody asks for their load.
void PostgresLedger::NoteLoad(const v1::Trip& before, const v1::Trip& now) {
  const TripId id(now.trip_id());
  if (before.has_driver()) loads_[DriverId(before.driver().driver_id())].erase(id);
  if (!IsOpen(now.state()) || !now.has_driver()) return;
  loads_[DriverId(now.driver().driver_id())][id] = {
      now.passenger().party_size(), now.state() == v1::TRIP_STATE_ABOARD, now.has_promise()};
}

void PostgresLedger::AppendToLog(std::uint64_t first_sequence, const v1::TripEvent& event) {
  last_event_ = event.SerializeAsString();
  Queue(kAppendLog, {event.sequence(), first_sequence, event.trip().market(), Bytes{last_event_}});
  last_sequence_ = event.sequence();
}

absl::Status PostgresLedger::RecordUse(const UsedId& id, const IdUse& use) {
  Queue(kInsertUse, {static_cast<int>(id.scope), id.caller, id.id, use.trip_id.str(), use.content});
  uses_[{id.scope, id.caller, id.id}] = use;
  return absl::OkStatus();
}

absl::StatusOr<std::optional<Lease>> PostgresLedger::FindLease(const MarketId& market) {
  return FindIn(leases_, market);
}

absl::Status PostgresLedger::WriteLease(const Lease& lease) {
  Queue(kWriteLease, {lease.market.str(), lease.holder, lease.address, lease.term,
                      lease.ends_at.time_since_epoch().count()});
  leases_[lease.market] = lease;
  return absl::OkStatus();
}

void PostgresLedger::SaveQuote(const Quote& quote) {
  Queue(kInsertQuote,
        {quote.id.str(), quote.trip.passenger().rider_id(),
         quote.expires_at.time_since_epoch().count(), Bytes{quote.trip.SerializeAsString()}});
  quotes_.emplace(quote.id, quote);
  last_quote_id_ = quote.id.str();
  ++saved_quotes_;
}

}  // namespace ridestream::trip
