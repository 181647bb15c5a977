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
  /// How often a driver shall send its position.
  Duration report_every = std::chrono::seconds(4);
  /// Silence after which a driver is suspect. Positive.
  Duration suspect_after = std::chrono::seconds(15);
  /// A session without a stream is forgotten after this; one that never had a good position after
  /// `suspect_after` already. Not shorter than that.
  Duration drop_after = std::chrono::minutes(10);
  /// Pushes that may wait for their ack. One more voids the session.
  std::size_t max_unacked = 64;
  /// A car between two fixes goes no faster (250 km/h) …
  double max_speed_m_per_s = 70;
  /// … give or take the noise and bunching of fixes, in metres.
  double jump_slack_m = 250;
  /// So many fixes in a row that agree with each other prove a jump real.
  int fixes_to_believe_jump = 3;
  /// Positions a second that are taken, twice as many at once. 0: no limit.
  double max_positions_per_s = 10;
  /// Commands a second that are taken, twice as many at once. 0: no limit.
  double max_commands_per_s = 10;
  double clock_rate = 1;

  /// How often each side sends anything at all: at most half of the silence that makes a driver
  /// suspect, so that one lost heartbeat doesn't make a driver suspect.
  Duration heartbeat() const {
    return std::min<Duration>(std::chrono::seconds(10), suspect_after / 2);
  }
};

/// What became of a position.
enum class PositionVerdict {
  kAccepted,
  /// Not newer than the last one taken.
  kLate,
  /// Further than a car can have come; waits for others that agree.
  kHeldBack,
  /// No place on earth, or beyond the area in which the driver's market is served.
  kOutOfRange,
  /// More than a driver may send.
  kTooMany,
};

/// The protocol of one driver's session, over all its streams: epochs, the queue of pushes with
/// their sequence numbers and acks, the order and sanity of positions, silence.
///
/// Deterministic; reads no clock. Not thread-safe: its owner guards it.
class Session {
 public:
  /// `area`, where the drivers of the market can be, may be null for everywhere. Both must outlive
  /// the session.
  explicit Session(const SessionConfig& config, const S2LatLngRect* area = nullptr)
      : config_(&config), area_(area) {}

  // The stream.

  /// A new stream of this driver sent this Hello (already checked by ValidateHello). It fences
  /// older ones: calls for their epochs do nothing from now on. If the Hello resumes the session it
  /// goes on, otherwise a new session `fresh_id` begins. Nothing is sent before Welcome. Returns
  /// the new epoch.
  std::uint64_t Connect(const v1::Hello& hello, SessionId fresh_id, Time now);

  /// Answers the Hello of that epoch, on a stream whose caller is `driver`. What was pushed to a
  /// fresh session before is void, since the snapshot stands for it.
  void Welcome(std::uint64_t epoch, const DriverId& driver, const v1::Snapshot& snapshot, Time now);

  /// The stream of that epoch ended.
  void Disconnect(std::uint64_t epoch);

  bool connected() const { return connected_; }
  /// Whether the last Connect went on where the session was.
  bool resumed() const { return resumed_; }
  std::uint64_t epoch() const { return epoch_; }
  const SessionId& id() const { return id_; }

  // Down: pushes.

  /// Queues a push and numbers it. RESOURCE_EXHAUSTED: the driver takes too little; the session is
  /// void, and the driver's next Hello begins a fresh one, whose snapshot holds what was lost here.
  absl::Status Push(v1::DriveResponse message);

  /// The next message to write on the stream, if any.
  bool NextToSend(v1::DriveResponse* message);

  /// Has a heartbeat sent when nothing else is.
  void SendHeartbeat() { heartbeat_due_ = true; }

  /// Everything up to `sequence` arrived; `acked` is shown each push of which that wasn't known.
  /// INVALID_ARGUMENT if it was never sent.
  absl::Status Ack(
      std::uint64_t sequence,
      absl::FunctionRef<void(const v1::DriveResponse&)> acked = [](const auto&) {});

  std::size_t unacked() const { return queue_.size(); }

  // Up: positions and life.

  PositionVerdict OnPosition(const v1::Position& position, Time now);

  /// False: the driver sends more commands than it may, and this one is not to be carried out.
  bool HasRoomForCommand(Time now) { return commands_.Take(config_->max_commands_per_s, now); }

  /// A message arrived from the driver. True if the driver was suspect.
  bool Heard(Time now);

  /// True once when the driver becomes suspect; not before the first Connect.
  bool BecameSuspect(Time now);

  /// True when it is time to forget the session; not before the first Connect.
  bool MayBeDropped(Time now) const;

  /// The last position taken, if any.
  const std::optional<LatLng>& position() const { return position_; }

 private:
  struct Fix {
    LatLng place;
    Time at;
    int agreeing = 0;
  };

  /// Full at first; holds what comes in within two seconds.
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
