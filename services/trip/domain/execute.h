#pragma once

#include "absl/status/statusor.h"
#include "libs/base/clock.h"
#include "services/trip/domain/commands.h"
#include "services/trip/domain/ledger.h"

namespace ridestream::trip {

struct Outcome {
  /// The answer to the caller: the trip's current record, or the error.
  absl::StatusOr<TripPtr> answer;
  /// The event for the log's followers, or null if nothing changed.
  EventPtr event = nullptr;
};

/// Carries out one command: reads what it needs from the ledger, applies the state machine, and
/// writes the change with its log entry. Deterministic. An error comes from the ledger: its
/// transaction must be rolled back, and callers receive nothing but this error.
absl::StatusOr<Outcome> Execute(const Command& command, Time now, Ledger& ledger);

/// The same for a lease. `now` must come from the one clock that judges the leases of this ledger.
absl::StatusOr<LeaseAnswer> Execute(const LeaseCommand& command, Time now, Ledger& ledger);

}  // namespace ridestream::trip
