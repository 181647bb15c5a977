#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "libs/base/clock.h"
#include "libs/base/mutex.h"
#include "services/trip/domain/ledger.h"
#include "services/trip/domain/trip_store.h"

namespace ridestream::trip {

/// A TripStore in memory, for simulations and tests. Deterministic and without threads: a command
/// is carried out, and its completion called, before Submit returns, unless another Submit is in
/// progress on this or another thread, which then takes over the command.
class MemoryTripStore final : public TripStore {
 public:
  /// `clock` must outlive the store.
  explicit MemoryTripStore(const Clock& clock, Listener listener = nullptr);
  ~MemoryTripStore() override;

  void Submit(Command command, TripDone done, Deadline deadline = kNoDeadline) override;
  void SaveQuote(Quote quote, QuoteDone done, Deadline deadline = kNoDeadline) override;
  void ChangeLease(LeaseCommand command, LeaseDone done, Deadline deadline = kNoDeadline) override;
  absl::StatusOr<v1::Trip> GetTrip(const TripId& id,
                                   Deadline deadline = kNoDeadline) const override;
  absl::StatusOr<TripPage> ListTrips(const TripFilter& filter, std::uint64_t before, size_t limit,
                                     Deadline deadline = kNoDeadline) const override;
  absl::StatusOr<LogPage> ReadLog(std::uint64_t after, const std::vector<std::string>& markets,
                                  size_t limit) const override;
  absl::StatusOr<std::optional<std::uint64_t>> OldestOpen(
      const std::vector<std::string>& markets) const override;
  std::uint64_t LastSequence() const override;
  size_t waiting() const override;

 private:
  class Tables;
  struct Work {
    std::variant<Command, Quote, LeaseCommand> what;
    TripDone trip_done = nullptr;
    QuoteDone quote_done = nullptr;
    LeaseDone lease_done = nullptr;
  };
  void Run(Work work);
  /// Returns the function to call after the lock is released.
  std::function<void()> CarryOut(Work work) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const Clock& clock_;
  const Listener listener_;
  mutable Mutex mu_;
  const std::unique_ptr<Tables> tables_ ABSL_PT_GUARDED_BY(mu_);
  std::deque<Work> queue_ ABSL_GUARDED_BY(mu_);
  bool running_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace ridestream::trip
