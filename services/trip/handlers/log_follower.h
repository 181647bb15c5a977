#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "libs/base/mutex.h"
#include "libs/server_streams/push_stream.h"
#include "services/trip/domain/trip_store.h"
#include "services/trip/handlers/log_tail.h"
#include "services/trip/handlers/worker_pool.h"

namespace ridestream::trip {

/// One FollowTrips stream: a cursor on the log. The cursor advances by a page when the stream has
/// taken the previous one, reading from the tail in memory or, further back, from the store. So a
/// slow follower holds two pages at most, and no event is missed or repeated when reading switches
/// from the store to the tail.
/// Shared by the feed that wakes it and by its work in progress. Thread-safe: one thread pumps at a
/// time, and `mu_` guards which one.
class LogFollower : public std::enable_shared_from_this<LogFollower> {
 public:
  using Stream = streams::PushStream<v1::FollowTripsResponse>;
  static constexpr size_t kPageEvents = 128;

  struct Options {
    const TripStore& store;
    const LogTail& tail;
    WorkerPool& readers;
    std::vector<std::string> markets;
    /// Called once, after the transport has released the stream.
    std::function<void(LogFollower*)> on_done;
    size_t page_events = kPageEvents;
  };

  static std::shared_ptr<LogFollower> Make(streams::StreamWriter<v1::FollowTripsResponse>& writer,
                                           Options options);

  /// Sends the events after `after`, and CaughtUp when all events up to `caught_up_at` have been
  /// sent.
  void Begin(std::uint64_t after, std::uint64_t caught_up_at);
  /// Begins after a sequence that this process may not know yet, since another process wrote it.
  /// Asks the store. OUT_OF_RANGE if the sequence lies beyond the log.
  void BeginAfter(std::uint64_t after);
  /// Begins at the oldest event of an open trip, which it requests from the store.
  void BeginAtOldestOpen();
  /// The log has grown.
  void Wake() { Advance(); }
  void Close(const absl::Status& status);
  /// Called by the transport.
  const std::shared_ptr<Stream>& stream() const { return stream_; }

 private:
  explicit LogFollower(Options options) : options_(std::move(options)) {}

  void Advance();
  void OnDrained();
  void Pump();
  bool MayGoOn();
  void ReadFromStore();
  /// Runs `work` on a reader's thread, or ends the stream.
  void RunOnReader(std::function<void()> work);
  void Send(const std::vector<const v1::TripEvent*>& events, std::uint64_t last_sequence);
  bool Wants(const v1::TripEvent& event) const;

  const Options options_;
  std::shared_ptr<Stream> stream_;  // Set once, before anybody else knows of this.

  // Used by the pumping thread only; passed to the next one through `mu_`.
  std::uint64_t cursor_ = 0;
  std::uint64_t caught_up_at_ = 0;
  bool said_caught_up_ = false;

  Mutex mu_;
  bool begun_ ABSL_GUARDED_BY(mu_) = false;
  bool pumping_ ABSL_GUARDED_BY(mu_) = false;
  bool wanted_ ABSL_GUARDED_BY(mu_) = false;  // There may be something new to send.
  bool busy_ ABSL_GUARDED_BY(mu_) = false;    // The stream hasn't taken all it was given.
};

}  // namespace ridestream::trip
