#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "services/trip/storage/command_writer.h"
#include "services/trip/storage/local_publisher.h"
#include "tests/sim/context.h"
#include "tests/sim/host.h"
#include "tests/sim/trip_disk.h"

namespace ridestream::sim {

/// The product's writer and publisher over the simulated disk, like SqliteTripStore's over a file.
/// A commit takes time and may fail, and a command may make its batch fail. Ends with the life of
/// its process. Not thread-safe.
class SimTripStore final : public trip::TripStore, private trip::BatchCommitter {
 public:
  SimTripStore(Context& context, Host& host, TripDisk& disk, Executor& executor, Listener listener);

  void Submit(trip::Command command, TripDone done, Deadline deadline = kNoDeadline) override {
    writer_.Submit(std::move(command), std::move(done), deadline);
  }
  void SaveQuote(trip::Quote quote, QuoteDone done, Deadline deadline = kNoDeadline) override {
    writer_.SaveQuote(std::move(quote), std::move(done), deadline);
  }
  void ChangeLease(trip::LeaseCommand command, LeaseDone done,
                   Deadline deadline = kNoDeadline) override {
    writer_.ChangeLease(std::move(command), std::move(done), deadline);
  }
  absl::StatusOr<trip::v1::Trip> GetTrip(const TripId& id, Deadline) const override {
    return disk_.store().GetTrip(id);
  }
  absl::StatusOr<trip::TripPage> ListTrips(const trip::TripFilter& filter, std::uint64_t before,
                                           size_t limit, Deadline) const override {
    return disk_.store().ListTrips(filter, before, limit);
  }
  absl::StatusOr<trip::LogPage> ReadLog(std::uint64_t after,
                                        const std::vector<std::string>& markets,
                                        size_t limit) const override {
    return disk_.store().ReadLog(after, markets, limit);
  }
  absl::StatusOr<std::optional<std::uint64_t>> OldestOpen(
      const std::vector<std::string>& markets) const override {
    return disk_.store().OldestOpen(markets);
  }
  std::uint64_t LastSequence() const override { return publisher_.last_sequence(); }
  /// Also those of the transaction under way.
  size_t waiting() const override { return writer_.waiting() + in_transaction_; }

 private:
  void Commit(trip::Batch batch, Done done) override;
  Duration CommitTime();
  /// Decides whether the transaction becomes durable.
  Result Decide(trip::Batch batch);

  Context& context_;
  Host& host_;
  TripDisk& disk_;
  std::size_t in_transaction_ = 0;
  trip::LocalPublisher publisher_;
  trip::CommandWriter writer_;
};

}  // namespace ridestream::sim
