#pragma once

#include <future>
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

}  // namespace ridestream::trip::testing
