#include "tests/sim/sim_trip_store.h"

#include <utility>

namespace ridestream::sim {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

}  // namespace

SimTripStore::SimTripStore(Context& context, Host& host, TripDisk& disk, Executor& executor,
                           Listener listener)
    : context_(context),
      host_(host),
      disk_(disk),
      publisher_(disk.store().LastSequence(), std::move(listener)),
      writer_({.executor = executor, .committer = *this, .acknowledge = [this](trip::Batch batch) {
                 publisher_.Publish(std::move(batch));
               }}) {}

Duration SimTripStore::CommitTime() {
  if (context_.faults.Strikes(Fault::kDiskSlow)) {
    return context_.random.Between(Duration(milliseconds(100)), Duration(seconds(4)));
  }
  return context_.random.Between(Duration(milliseconds(1)), Duration(milliseconds(20)));
}

void SimTripStore::Commit(trip::Batch batch, Done done) {
  in_transaction_ = batch.size();
  const auto waiting = std::make_shared<trip::Batch>(std::move(batch));
  context_.agenda.After(CommitTime(), host_.life(), [this, waiting, done = std::move(done)] {
    const auto result = std::make_shared<Result>(Decide(std::move(*waiting)));
    in_transaction_ = 0;
    // Between the commit and the answers the process may die.
    context_.agenda.After(context_.random.Between(Duration(0), Duration(milliseconds(2))),
                          host_.life(), [result, done] { done(std::move(*result)); });
  });
}

SimTripStore::Result SimTripStore::Decide(trip::Batch batch) {
  if (batch.size() > 1 && context_.faults.Strikes(Fault::kBatchSpoilt)) {
    return {std::move(batch), absl::InternalError("a constraint was violated"), true};
  }
  const bool fails = context_.faults.Strikes(Fault::kDiskFailed);
  disk_.Transact(batch, context_.agenda.now(), fails);
  context_.trace.Line("trip {} {} rows", fails ? "fails to commit" : "commits", batch.size());
  return {std::move(batch), fails ? absl::UnavailableError("the disk failed") : absl::OkStatus()};
}

}  // namespace ridestream::sim
