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

/// What waits to be written, with whom to answer.
using Work = std::variant<QuoteWork, TripWork, LeaseWork>;
using Batch = std::deque<Work>;

/// Answers with the outcome, which is durable; each work once.
void Complete(Work& work);
void Fail(Work& work, const absl::Status& status);
TripStore::Deadline DeadlineOf(const Work& work);

/// The error for callers when the disk or the database failed: nothing was acknowledged, and since
/// every command is idempotent it may be sent again.
absl::Status NotCommitted(const absl::Status& cause);

/// Takes the events that the outcomes of a batch hold, in the log's order.
std::vector<EventPtr> TakeEvents(Batch& batch);

}  // namespace ridestream::trip
