#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/trip/domain/commands.h"
#include "services/trip/domain/lease.h"
#include "services/trip/domain/state_machine.h"

namespace ridestream::trip {

/// A trip and what is kept beside it that isn't part of the API.
struct TripRecord {
  v1::Trip trip;
  QuoteId quote_id;
  std::uint32_t seats = 0;           ///< Of the driver's car; 0 while there is none.
  std::uint64_t first_sequence = 0;  ///< Of its first event: its place in the ledger.
};

/// The kinds of ids by which callers make their commands idempotent. The numbers are in the
/// database.
enum class IdScope { kCancel = 1, kChangeDestination = 2, kAssign = 3 };

/// An id as its caller uses it: unique for the caller within its scope, forever.
struct UsedId {
  IdScope scope;
  std::string caller;  ///< "rider/r-1"; empty where ids are everybody's.
  std::string id;
};

/// What an id was used for.
struct IdUse {
  TripId trip_id;
  std::string content;  ///< All that the command said about the trip.

  friend bool operator==(const IdUse&, const IdUse&) = default;
};

/// The rows that one command reads and writes, as they are within its transaction. An error of any
/// of these is the ledger's own failure (disk, damage, a violated constraint), not an answer.
class Ledger {
 public:
  virtual ~Ledger() = default;

  virtual absl::StatusOr<std::optional<Quote>> FindQuote(const QuoteId& id) = 0;
  virtual absl::StatusOr<std::optional<TripRecord>> FindTrip(const TripId& id) = 0;
  virtual absl::StatusOr<std::optional<TripRecord>> FindRequest(const RiderId& rider,
                                                                const std::string& request_id) = 0;
  virtual absl::StatusOr<std::optional<TripId>> FindOpenTrip(const RiderId& rider) = 0;
  /// The trip that the quote has served, if any.
  virtual absl::StatusOr<std::optional<TripId>> FindTripOfQuote(const QuoteId& quote) = 0;
  /// What the id was used for, if it was.
  virtual absl::StatusOr<std::optional<IdUse>> FindUse(const UsedId& id) = 0;
  /// The driver's riders in all trips but `except`.
  virtual absl::StatusOr<DriverLoad> FindDriverLoad(const DriverId& driver,
                                                    const TripId& except) = 0;

  /// Adds a trip (event.trip) with its first log entry, and gives the event its sequence. False,
  /// with nothing written, when the rider has an open trip or has used the request id, or the quote
  /// has served a trip.
  virtual absl::StatusOr<bool> Insert(const RequestCommand& command, v1::TripEvent& event) = 0;
  /// Replaces the trip by event.trip with its log entry, and gives the event its sequence. The row
  /// must be in event.previous_state and one version older.
  virtual absl::Status Update(std::uint64_t first_sequence, std::uint32_t seats,
                              v1::TripEvent& event) = 0;
  /// The id must not be in use.
  virtual absl::Status RecordUse(const UsedId& id, const IdUse& use) = 0;

  /// The market's row, if there is one.
  virtual absl::StatusOr<std::optional<Lease>> FindLease(const MarketId& market) = 0;
  /// Adds the row or replaces it.
  virtual absl::Status WriteLease(const Lease& lease) = 0;
};

}  // namespace ridestream::trip
