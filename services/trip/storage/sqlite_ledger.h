#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "libs/sqlite/database.h"
#include "services/trip/domain/ledger.h"

namespace ridestream::trip {

/// The ledger on the writer's connection, with statements that are compiled once. Used by the
/// writer's thread; all calls except Open must be within a transaction.
class SqliteLedger final : public Ledger {
 public:
  /// How long a quote is stored after its expiry, so that a late request gets the right error.
  static constexpr Duration kQuoteRetention = std::chrono::hours(1);

  /// `database` must have the current schema and outlive the ledger.
  static absl::StatusOr<std::unique_ptr<SqliteLedger>> Open(sqlite::Database& database);
  ~SqliteLedger() override;

  /// Reads the log's last sequence from the file. Call first in each transaction, since the
  /// previous one may have been rolled back.
  absl::StatusOr<std::uint64_t> ReadLastSequence();

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

  /// Stores the quote, and deletes some that expired long ago.
  absl::Status SaveQuote(const Quote& quote, Time now);

 private:
  struct Statements;
  SqliteLedger(sqlite::Database& database, std::unique_ptr<Statements> statements);
  absl::StatusOr<std::optional<TripRecord>> ReadRecord(absl::StatusOr<sqlite::Rows> rows);
  absl::Status AppendToLog(std::uint64_t first_sequence, const v1::TripEvent& event);

  sqlite::Database& database_;
  const std::unique_ptr<Statements> statements_;
  std::uint64_t last_sequence_ = 0;
  std::string buffer_;  // What is bound as a BLOB.
};

}  // namespace ridestream::trip
