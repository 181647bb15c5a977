#pragma once

#include "absl/status/statusor.h"
#include "libs/base/clock.h"
#include "services/trip/domain/commands.h"
#include "services/trip/domain/ledger.h"

namespace ridestream::trip {

struct Outcome {
  /// The caller's answer: the trip's present state, or the error.
  absl::StatusOr<TripPtr> answer;
  /// What goes to the log's followers, or null if nothing changed.
  EventPtr event = nullptr;
};

/// Carries one command out: reads what it needs from the ledger, asks the state machine, writes the
/// change with its log entry. Deterministic. An error is the ledger's: its transaction must be
/// given up, and nobody told anything but that.
absl::StatusOr<Outcome> Execute(const Command& command, Time now, Ledger& ledger);

/// The same for a lease. `now`: by the one clock that judges the leases of this ledger.
absl::StatusOr<LeaseAnswer> Execute(const LeaseCommand& command, Time now, Ledger& ledger);

}  // namespace ridestream::trip
