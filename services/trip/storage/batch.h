#pragma once

#include <deque>
#include <variant>
#include <vector>

#include "services/trip/domain/execute.h"
#include "services/trip/domain/trip_store.h"

namespace ridestream::trip {

struct QuoteWork {
  Quote quote;
  TripStore::QuoteDone done;
  TripStore::Deadline deadline;
};

struct TripWork {
  Command command;
  TripStore::TripDone done;
  TripStore::Deadline deadline;
  Outcome outcome{absl::UnknownError("not carried out")};
};

struct LeaseWork {
  LeaseCommand command;
  TripStore::LeaseDone done;
  TripStore::Deadline deadline;
  absl::StatusOr<LeaseAnswer> answer = absl::UnknownError("not carried out");
};

/// A command that waits to be written, with its completion.
using Work = std::variant<QuoteWork, TripWork, LeaseWork>;
using Batch = std::deque<Work>;

/// Answers with the durable outcome. Call once for each command.
void Complete(Work& work);
void Fail(Work& work, const absl::Status& status);
TripStore::Deadline DeadlineOf(const Work& work);

/// The error for callers after a failure of the disk or the database. Nothing was acknowledged, and
/// commands are idempotent, so callers may retry.
absl::Status NotCommitted(const absl::Status& cause);

/// Moves the events out of a batch's outcomes, in the order of the log.
std::vector<EventPtr> TakeEvents(Batch& batch);

}  // namespace ridestream::trip
