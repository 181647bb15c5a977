#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/timer_queue.h"
#include "libs/streams/follow_stream.h"
#include "ridestream/trip/v1/trip.grpc.pb.h"
#include "services/exporter/domain/event_queue.h"
#include "services/exporter/domain/ports.h"

namespace ridestream::exporter {

/// Follows trip's log into the queue. When the stream ends, or the queue is full, it is opened
/// again after the last event that the queue took. FollowAfter and Stop are called by one thread at
/// a time.
class TripLog final : public EventLog {
 public:
  /// All must outlive it.
  TripLog(std::vector<std::string> markets, trip::v1::TripService::StubInterface& trip,
          TimerQueue& timers, EventQueue& queue);
  ~TripLog() override { Stop(); }

  void FollowAfter(std::uint64_t sequence) override;
  void Stop() override;

 private:
  using Stream = streams::FollowStream<trip::v1::FollowTripsResponse>;

  bool OnMessage(trip::v1::FollowTripsResponse& message);
  void OnEnd(const absl::Status& status);

  const std::vector<std::string> markets_;
  trip::v1::TripService::StubInterface& trip_;
  TimerQueue& timers_;
  EventQueue& queue_;
  std::uint64_t sequence_ =
      0;  // The stream's while there is one: its functions come one at a time.
  std::optional<bool> is_connected_;  // Likewise; nothing before the first stream has told.
  std::unique_ptr<Stream> stream_;
};

}  // namespace ridestream::exporter
