#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "libs/base/clock.h"
#include "libs/base/geo.h"
#include "libs/base/id.h"
#include "ridestream/dispatch/v1/dispatch.pb.h"
#include "ridestream/location/v1/location.pb.h"
#include "s2/s2latlng_rect.h"

namespace ridestream::dispatch {

struct SessionConfig {
  /// Interval at which a driver should send its position.
  Duration report_every = std::chrono::seconds(4);
  /// Silence after which a driver is suspect. Positive.
  Duration suspect_after = std::chrono::seconds(15);
  /// A session without a stream is dropped after this time, and already after `suspect_after` if it
  /// never had a valid position. At least `suspect_after`.
  Duration drop_after = std::chrono::minutes(10);
  /// Maximum number of pushes without an ack. One more voids the session.
  std::size_t max_unacked = 64;
  /// Maximum speed of a car between two fixes, 250 km/h, …
  double max_speed_m_per_s = 70;
  /// … plus this tolerance for noisy or bunched fixes, in metres.
  double jump_slack_m = 250;
  /// Number of consecutive consistent fixes after which a jump is accepted.
  int fixes_to_believe_jump = 3;
  /// Maximum rate of positions per second, with bursts of twice that. 0: unlimited.
  double max_positions_per_s = 10;
  /// Maximum rate of commands per second, with bursts of twice that. 0: unlimited.
  double max_commands_per_s = 10;
  double clock_rate = 1;

  /// Maximum interval between two messages of each side: at most half of `suspect_after`, so that
  /// one lost heartbeat doesn't make a driver suspect.
  Duration heartbeat() const {
    return std::min<Duration>(std::chrono::seconds(10), suspect_after / 2);
  }
};

/// The outcome of a position.
enum class PositionVerdict {
  kAccepted,
  /// Not newer than the last accepted position.
  kLate,
  /// Farther than a car can have driven. Accepted once further positions are consistent with it.
  kHeldBack,
  /// Not a valid place, or outside the area that the driver's market serves.
  kOutOfRange,
  /// Beyond the rate limit.
  kTooMany,
};

/// The protocol of one driver's session across all its streams: epochs, the queue of pushes with
/// their sequence numbers and acks, order and plausibility of positions, silence.
/// Deterministic, reads no clock. Not thread-safe; the owner must guard it.
class Session {
 public:
  /// `area` is where the market's drivers can be; null means everywhere. Both must outlive the
  /// session.
  explicit Session(const SessionConfig& config, const S2LatLngRect* area = nullptr)
      : config_(&config), area_(area) {}

  // The stream.

  /// A new stream of this driver sent this Hello, which ValidateHello has checked. It fences older
  /// streams: calls with their epochs have no effect from now on. If the Hello resumes the session,
  /// the session continues, otherwise a new one begins with the id `fresh_id`. Calls `acked` for
  /// each push that a resumption newly acks. Nothing is sent before Welcome. Returns the new epoch.
  std::uint64_t Connect(
      const v1::Hello& hello, SessionId fresh_id, Time now,
      absl::FunctionRef<void(const v1::DriveResponse&)> acked = [](const auto&) {});

  /// Answers the Hello of that epoch, on a stream whose caller is `driver`. Earlier pushes of a
  /// fresh session are dropped, since the snapshot replaces them.
  void Welcome(std::uint64_t epoch, const DriverId& driver, const v1::Snapshot& snapshot, Time now);

  /// The stream of that epoch ended.
  void Disconnect(std::uint64_t epoch);

  bool connected() const { return connected_; }
  /// Whether the last Connect resumed the session.
  bool resumed() const { return resumed_; }
  std::uint64_t epoch() const { return epoch_; }
  const SessionId& id() const { return id_; }

  // Down: pushes.

  /// Queues a push and assigns its number. RESOURCE_EXHAUSTED if the driver reads too slowly: the
  /// session is then void, and the driver's next Hello begins a fresh one, whose snapshot replaces
  /// the dropped pushes.
  absl::Status Push(v1::DriveResponse message);

  /// The next message to write on the stream, if any.
  bool NextToSend(v1::DriveResponse* message);

  /// Requests that a heartbeat is sent if no other message is.
  void SendHeartbeat() { heartbeat_due_ = true; }

  /// The driver has received everything up to `sequence`. Calls `acked` for each push that is newly
  /// acked. INVALID_ARGUMENT if the sequence was never sent.
  absl::Status Ack(
      std::uint64_t sequence,
      absl::FunctionRef<void(const v1::DriveResponse&)> acked = [](const auto&) {});

  std::size_t unacked() const { return queue_.size(); }

  // Up: positions and life.

  PositionVerdict OnPosition(const v1::Position& position, Time now);

  /// Returns false if the driver exceeds its rate of commands, and this one must not be carried
  /// out.
  bool HasRoomForCommand(Time now) { return commands_.Take(config_->max_commands_per_s, now); }

  /// A message arrived from the driver. Returns true if the driver was suspect.
  bool OnHeard(Time now);

  /// Returns true once when the driver becomes suspect. Not before the first Connect.
  bool BecameSuspect(Time now);

  /// Returns true when the session has to be dropped. Not before the first Connect.
  bool MayBeDropped(Time now) const;

  /// The last accepted position, if any.
  const std::optional<LatLng>& position() const { return position_; }

 private:
  struct Fix {
    LatLng place;
    Time at;
    int agreeing = 0;
  };

  /// Initially full, with a capacity of two seconds' worth.
  struct TokenBucket {
    double tokens = 0;
    Time filled_at = Time::min();

    bool Take(double per_s, Time now);
  };

  bool Resumes(const v1::Hello& hello) const;
  void EndOffersThatRanOut(Time now);
  bool IsPlausible(LatLng from, Time at, LatLng to, Time now) const;

  const SessionConfig* config_;
  const S2LatLngRect* area_;
  SessionId id_;
  std::uint64_t epoch_ = 0;
  bool connected_ = false;
  bool resumed_ = false;
  bool void_ = true;
  bool welcomed_ = false;
  bool heartbeat_due_ = false;
  bool suspect_ = false;
  Time last_heard_{};

  std::optional<v1::DriveResponse> welcome_;
  std::deque<v1::DriveResponse> queue_;  // Unacked, in the order of their sequences.
  std::size_t sent_ = 0;                 // So many of them went out on this stream.
  std::uint64_t last_sequence_ = 0;      // Of the last push queued.

  std::uint64_t last_position_sequence_ = 0;
  std::optional<LatLng> position_;
  Time position_at_{};
  std::optional<Fix> held_;
  TokenBucket positions_;
  TokenBucket commands_;
};

}  // namespace ridestream::dispatch
