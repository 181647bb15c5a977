#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "libs/base/timer_queue.h"
#include "libs/streams/follow_stream.h"
#include "ridestream/trip/v1/trip.grpc.pb.h"
#include "services/exporter/domain/event_queue.h"
#include "services/exporter/domain/ports.h"

namespace ridestream::exporter {

/// Follows trip's log into the queue. When the stream ends, or the queue is full, it is opened
/// again after the last event that the queue took. Logs "following" when trip has answered, and
/// "log_not_followed" with the reason while it doesn't. FollowAfter and Stop are called by one
/// thread at a time.
class TripLog final : public EventLog {
 public:
  struct Options {
    std::vector<std::string> markets;
    /// Address of trip, for the log.
    std::string address;
    /// Called when is_following() has changed, by a thread of the stream; not by FollowAfter and
    /// Stop.
    std::function<void()> on_change = [] {};
  };

  /// All must outlive this object.
  TripLog(Options options, trip::v1::TripService::StubInterface& trip, TimerQueue& timers,
          EventQueue& queue);
  ~TripLog() override { Stop(); }

  void FollowAfter(std::uint64_t sequence) override;
  void Stop() override;

  /// Whether trip sends the log's events, from its first answer to the end of the stream.
  /// Thread-safe.
  bool is_following() const { return is_following_; }

 private:
  using Stream = streams::FollowStream<trip::v1::FollowTripsResponse>;

  bool OnMessage(trip::v1::FollowTripsResponse& message);
  void OnEnd(const absl::Status& status, bool is_news);

  const Options options_;
  trip::v1::TripService::StubInterface& trip_;
  TimerQueue& timers_;
  EventQueue& queue_;
  std::uint64_t sequence_ =
      0;  // The stream's while there is one: its functions come one at a time.
  bool queue_was_full_ = false;  // Likewise.
  std::atomic<bool> is_following_ = false;
  std::unique_ptr<Stream> stream_;
};

}  // namespace ridestream::exporter
