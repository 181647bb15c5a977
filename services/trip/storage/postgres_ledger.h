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

/// The ledger of one batch in one transaction of PostgreSQL. A round trip a read would cost more
/// than all the rest, so the batch takes two: the first locks the log and loads all rows that its
/// commands may ask for; then they are carried out in memory, each seeing what those before it
/// changed; the second writes their changes and commits. For one thread and one batch.
class PostgresLedger final : public Ledger {
 public:
  /// How long a quote is kept after its expiry, so that a late request gets the reason.
  static constexpr Duration kQuoteRetention = std::chrono::hours(1);

  /// To be compiled on the connection.
  static std::span<const postgres::Statement> Statements();

  /// Begins the transaction, waits for the log's lock, loads what the batch needs. The server gives
  /// each statement, the lock included, until the deadline.
  absl::Status Begin(postgres::Connection& connection, const Batch& batch,
                     postgres::Deadline deadline);
  /// Writes the changes and commits. `now`: for dropping quotes that expired long ago.
  absl::Status Commit(postgres::Connection& connection, Time now, postgres::Deadline deadline);

  /// Whether the transaction took place, for a writer that lost its connection before the answer to
  /// its COMMIT came. Asks the rows and not the transaction's number, which after a failover may be
  /// another transaction's; waits for a transaction that is still under way; and when it tells yes,
  /// what it tells of is as durable as a commit that was answered. No, also when the transaction
  /// left nothing by which it can be told: then it may be made again.
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
  /// The time of the database when the batch was loaded, if it concerns leases.
  TimeSource::SystemTime database_time() const { return database_time_; }

 private:
  struct Keys;
  struct Loader;
  /// What an open trip takes of its driver's car.
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
