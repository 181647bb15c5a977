#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "libs/base/system_time.h"
#include "libs/postgres/connection.h"
#include "services/trip/domain/ledger.h"
#include "services/trip/storage/batch.h"

namespace ridestream::trip {

/// The ledger of one batch in one PostgreSQL transaction. A round trip for every read would
/// dominate the cost, so a batch takes two in all: the first locks the log and loads all rows that
/// the commands may need. The commands are then carried out in memory, each seeing the changes of
/// those before it. The second round trip writes the changes and commits. Used by one thread for
/// one batch.
class PostgresLedger final : public Ledger {
 public:
  /// How long a quote is stored after its expiry, so that a late request gets the right error.
  static constexpr Duration kQuoteRetention = std::chrono::hours(1);

  /// Statements to prepare on the connection.
  static std::span<const postgres::Statement> Statements();

  /// Begins the transaction, waits for the log's lock, and loads the rows that the batch needs. The
  /// server cancels each statement, including the lock, at the deadline.
  absl::Status Begin(postgres::Connection& connection, const Batch& batch,
                     postgres::Deadline deadline);
  /// Writes the changes and commits. `now` is used to delete quotes that expired long ago.
  absl::Status Commit(postgres::Connection& connection, Time now, postgres::Deadline deadline);

  /// Returns whether the transaction was committed, for a writer that lost its connection before
  /// the answer to its COMMIT. Looks for the transaction's rows rather than its number, which may
  /// belong to another transaction after a failover, and waits for a transaction that is still in
  /// progress. If true, the transaction is as durable as an answered commit. Also false if the
  /// transaction leaves no row by which it can be identified; repeating it is then safe.
  absl::StatusOr<bool> FindOutcome(postgres::Connection& connection, postgres::Deadline deadline);

  absl::StatusOr<std::optional<Quote>> FindQuote(const QuoteId& id) override;
  absl::StatusOr<std::optional<TripRecord>> FindTrip(const TripId& id) override;
  absl::StatusOr<std::optional<TripRecord>> FindRequest(const RiderId& rider,
                                                        const std::string& request_id) override;
  absl::StatusOr<std::optional<TripId>> FindOpenTrip(const RiderId& rider) override;
  absl::StatusOr<std::optional<TripId>> FindTripOfQuote(const QuoteId& quote) override;
  absl::StatusOr<std::optional<IdUse>> FindUse(const UsedId& id) override;
  absl::StatusOr<DriverLoad> FindDriverLoad(const DriverId& driver, const TripId& except) override;
  absl::StatusOr<bool> Insert(const RequestCommand& command, v1::TripEvent& event) override;
  absl::Status Update(std::uint64_t first_sequence, std::uint32_t seats,
                      v1::TripEvent& event) override;
  absl::Status RecordUse(const UsedId& id, const IdUse& use) override;
  absl::StatusOr<std::optional<Lease>> FindLease(const MarketId& market) override;
  absl::Status WriteLease(const Lease& lease) override;
  void SaveQuote(const Quote& quote);
  /// The database's time when the batch was loaded, if the batch concerns leases.
  TimeSource::SystemTime database_time() const { return database_time_; }

 private:
  struct Keys;
  struct Loader;
  /// The capacity of the driver's car that an open trip uses.
  struct Load {
    std::uint32_t party_size;
    bool aboard;
    bool shares;
  };
  struct Write {
    const postgres::Statement* statement;
    std::vector<postgres::Parameter> parameters;
  };
  using UseKey = std::tuple<IdScope, std::string, std::string>;

  void Queue(const postgres::Statement& statement, std::vector<postgres::Parameter> parameters);
  void AppendToLog(std::uint64_t first_sequence, const v1::TripEvent& event);
  void NoteLoad(const v1::Trip& before, const v1::Trip& now);

  std::uint64_t last_sequence_ = 0;
  std::uint64_t loaded_sequence_ = 0;
  std::map<QuoteId, Quote> quotes_;
  std::map<TripId, TripRecord> trips_;
  std::map<std::pair<RiderId, std::string>, TripId> by_request_;
  std::map<RiderId, TripId> open_by_rider_;
  std::map<QuoteId, TripId> by_quote_;
  std::map<UseKey, IdUse> uses_;
  std::map<DriverId, std::map<TripId, Load>> loads_;  // Of the drivers that the batch names.
  std::map<MarketId, Lease> leases_;
  TimeSource::SystemTime database_time_;
  std::int64_t saved_quotes_ = 0;
  std::string last_quote_id_;
  std::string last_event_;  // As it was appended to the log.
  std::vector<Write> writes_;
};

}  // namespace ridestream::trip
