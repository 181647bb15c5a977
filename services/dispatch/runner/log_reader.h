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

/// Takes trip's log in for one market, however often the stream breaks: from the oldest open trip,
/// and then each entry behind what the market has taken. Not thread-safe: a stream's functions come
/// one at a time.
class LogReader {
 public:
  /// Told each time that the log was caught up, at this sequence.
  using OnCaughtUp = std::function<void(std::uint64_t sequence)>;

  /// `events` must outlive it.
  LogReader(std::string market, EventSink& events, OnCaughtUp on_caught_up)
      : market_(std::move(market)), events_(events), on_caught_up_(std::move(on_caught_up)) {}

  /// From the next stream on, the market gets LogCaughtUp and decides from then on. Before, it only
  /// reads the log. Not while a stream is open.
  void Lead() { leads_ = true; }
  bool leads() const { return leads_; }

  /// What to ask for when the stream is opened, for the first time or again.
  trip::v1::FollowTripsRequest NextRequest() const;
  /// False: the market is behind. The stream is to be closed, and opened again later.
  bool Take(trip::v1::FollowTripsResponse& message);
  void OnEnd(const absl::Status& status) { cursor_.OnEnd(status); }
  /// The last entry that the market has taken.
  std::uint64_t sequence() const { return cursor_.sequence(); }

 private:
  const std::string market_;
  EventSink& events_;
  const OnCaughtUp on_caught_up_;
  LogCursor cursor_;
  bool leads_ = false;
};

}  // namespace ridestream::dispatch
