#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "libs/base/mutex.h"
#include "ridestream/trip/v1/trip.pb.h"
#include "services/dispatch/domain/events/market_events.h"

namespace ridestream::dispatch {

/// The id of the external request that created each open trip of a market, for logs and for calls
/// on its behalf. Thread-safe; holds no other lock.
class OpenRequests {
 public:
  /// A trip's record was read from the log.
  void Note(const trip::v1::Trip& trip);
  /// Empty if the trip isn't open, or has no request id.
  std::string RequestOf(const std::string& trip_id) const;
  /// Request ids of trips that are in a round for the first time, at most `most`.
  std::vector<std::string> NewRequestsOf(const FindCandidates& round, std::size_t most);
  /// Logs a failed command. A command that the market repeats is logged only at its first failure,
  /// and when it succeeds.
  void LogCommand(const char* name, const std::string& trip_id, const absl::Status& status);

 private:
  struct Request {
    std::string id;
    bool was_in_a_round = false;
    /// Number of failures of the command in progress.
    int failures = 0;
  };

  mutable Mutex mu_;
  absl::flat_hash_map<std::string, Request> requests_ ABSL_GUARDED_BY(mu_);  // By trip.
};

}  // namespace ridestream::dispatch
