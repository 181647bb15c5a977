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

/// By which request from outside each open trip of a market was made, for logs and for calls on its
/// behalf. Thread-safe; its lock is a leaf.
class OpenRequests {
 public:
  /// A trip's record was read from the log.
  void Note(const trip::v1::Trip& trip);
  /// Empty if the trip isn't open, or was made by none.
  std::string RequestOf(const std::string& trip_id) const;
  /// The requests of those trips of a round that weren't in a round before, at most `most`.
  std::vector<std::string> NewRequestsOf(const FindCandidates& round, std::size_t most);
  /// Logs a command that failed: one that the market repeats only when it first fails, and when it
  /// succeeds.
  void LogCommand(const char* name, const std::string& trip_id, const absl::Status& status);

 private:
  struct Request {
    std::string id;
    bool was_in_a_round = false;
    /// Failures of the command under way.
    int failures = 0;
  };

  mutable Mutex mu_;
  absl::flat_hash_map<std::string, Request> requests_ ABSL_GUARDED_BY(mu_);  // By trip.
};

}  // namespace ridestream::dispatch
