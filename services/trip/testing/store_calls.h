#pragma once

#include <cstdint>
#include <future>
#include <string>
#include <utility>

#include "services/trip/domain/trip_store.h"

namespace ridestream::trip::testing {

/// Sends a command and waits for its completion.
inline absl::StatusOr<v1::Trip> Await(TripStore& store, Command command,
                                      TripStore::Deadline deadline = TripStore::kNoDeadline) {
  std::promise<absl::StatusOr<v1::Trip>> promise;
  store.Submit(
      std::move(command),
      [&](const absl::StatusOr<TripPtr>& trip) {
        if (trip.ok()) {
          promise.set_value(**trip);
        } else {
          promise.set_value(trip.status());
        }
      },
      deadline);
  return promise.get_future().get();
}

inline absl::Status Await(TripStore& store, Quote quote) {
  std::promise<absl::Status> promise;
  store.SaveQuote(std::move(quote), [&](const absl::Status& status) { promise.set_value(status); });
  return promise.get_future().get();
}

inline absl::StatusOr<LeaseAnswer> Await(TripStore& store, LeaseCommand command) {
  std::promise<absl::StatusOr<LeaseAnswer>> promise;
  store.ChangeLease(std::move(command), [&](absl::StatusOr<LeaseAnswer> answer) {
    promise.set_value(std::move(answer));
  });
  return promise.get_future().get();
}

/// Also where a store compares the time of a clock that stands still, whose rate says nothing.
inline constexpr Duration kForTheWholeTest = std::chrono::hours(1'000);

inline LeaseCommand Acquire(const std::string& market, const std::string& holder,
                            Duration lasts = kForTheWholeTest) {
  return {.kind = LeaseCommand::Kind::kAcquire,
          .market = MarketId(market),
          .holder = holder,
          .address = holder + ":7003",
          .lasts = lasts,
          .longest = kForTheWholeTest};
}
inline LeaseCommand Renew(const std::string& market, const std::string& holder, std::uint64_t term,
                          Duration lasts = kForTheWholeTest) {
  return {.kind = LeaseCommand::Kind::kRenew,
          .market = MarketId(market),
          .holder = holder,
          .term = term,
          .lasts = lasts,
          .longest = kForTheWholeTest};
}
inline LeaseCommand Release(const std::string& market, const std::string& holder,
                            std::uint64_t term) {
  return {.kind = LeaseCommand::Kind::kRelease,
          .market = MarketId(market),
          .holder = holder,
          .term = term};
}

}  // namespace ridestream::trip::testing
