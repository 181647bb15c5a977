#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "ridestream/trip/v1/trip.pb.h"
#include "services/dispatch/domain/trips/log_cursor.h"
#include "services/dispatch/drive/driver_session.h"

namespace ridestream::dispatch {

/// Reads the trip log for one market, however often the stream breaks: from the oldest open trip,
/// then each entry after those that the market has accepted. Not thread-safe: a stream calls its
/// functions one at a time.
class LogReader {
 public:
  /// Called each time the market has caught up with the log, with the sequence.
  using OnCaughtUp = std::function<void(std::uint64_t sequence)>;

  /// `events` must outlive this object.
  LogReader(std::string market, EventSink& events, OnCaughtUp on_caught_up)
      : market_(std::move(market)), events_(events), on_caught_up_(std::move(on_caught_up)) {}

  /// With the next stream the market gets LogCaughtUp and starts to decide. Before, it only reads
  /// the log. Must not be called while a stream is open.
  void Lead() { leads_ = true; }
  bool leads() const { return leads_; }

  /// The request with which to open the stream, for the first time or again.
  trip::v1::FollowTripsRequest NextRequest() const;
  /// Returns false if the market is overloaded. The stream must then be closed, and opened again
  /// later.
  bool Take(trip::v1::FollowTripsResponse& message);
  void OnEnd(const absl::Status& status) { cursor_.OnEnd(status); }
  /// The last entry that the market has accepted.
  std::uint64_t sequence() const { return cursor_.sequence(); }

 private:
  const std::string market_;
  EventSink& events_;
  const OnCaughtUp on_caught_up_;
  LogCursor cursor_;
  bool leads_ = false;
};

}  // namespace ridestream::dispatch
