#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/base/clock.h"
#include "libs/base/id.h"
#include "libs/base/mutex.h"
#include "libs/service/service.h"
#include "services/dispatch/domain/events/market_events.h"
#include "services/dispatch/domain/session/session.h"
#include "services/dispatch/drive/ack_listener.h"
#include "services/dispatch/drive/offer_times.h"
#include "services/dispatch/drive/push_history.h"
#include "services/dispatch/drive/session_counters.h"

namespace ridestream::dispatch {

/// The stream on which a driver is, as far as its session knows it. Thread-safe. It asks its
/// session under its own lock, so a session never calls it under the session's.
class SessionStream {
 public:
  virtual ~SessionStream() = default;
  /// The session may have something to send.
  virtual void Wake() = 0;
  /// Ends the stream. What the session still holds waits for a resume.
  virtual void End(const absl::Status& status) = 0;
};

/// Where a market's events go. Thread-safe; never calls back.
class EventSink {
 public:
  virtual ~EventSink() = default;
  /// False: the queue is full and the event was not taken. Whoever caused it will come again.
  virtual bool Post(Event event) = 0;
  /// For what a session says once and nobody repeats (that its driver left, fell silent, was heard
  /// again, was dropped): always taken. The sessions bound it, with a few a second each.
  virtual void Tell(Event event) = 0;
};

/// Where the positions of a market's drivers go. Never calls back.
class PositionSink {
 public:
  virtual ~PositionSink() = default;
  /// `fill` sets every field of a report that may have been used before.
  virtual void Add(absl::FunctionRef<void(location::v1::PositionReport&)> fill) = 0;
};

/// One driver's session as its streams, its market and the registry share it: the protocol's state
/// machine, the lock that guards it, and the stream it is on now. Outlives its streams.
///
/// Thread-safe. Lock order: a stream's lock, then this one. So streams are told to advance only
/// after this lock is released.
class DriverSession {
 public:
  /// A stream is half-open, and closed, after this many times the suspect grace without a message.
  static constexpr int kSilentGraces = 4;

  /// What a session works with; all of it outlives it.
  struct Surroundings {
    const SessionConfig& config;
    const Clock& clock;
    EventSink& events;
    PositionSink& positions;
    SessionCounters& counters;
    OfferTimes& offer_times;
    /// Where the market's drivers can be; null for everywhere.
    const S2LatLngRect* area = nullptr;
    /// Null: nobody listens.
    AckListener* acks = nullptr;
  };

  DriverSession(DriverId driver, MarketId market, const Surroundings& surroundings);

  const DriverId& driver() const { return driver_; }
  const MarketId& market() const { return market_; }
  /// The session's id. It changes when a new session begins.
  SessionId id() const;

  // Called by streams.

  /// `stream` takes over with this Hello; the stream before is closed with ABORTED. Returns the
  /// epoch. UNAVAILABLE when the session is just being dropped, RESOURCE_EXHAUSTED when the market
  /// is behind.
  absl::StatusOr<std::uint64_t> Attach(std::shared_ptr<SessionStream> stream,
                                       const v1::Hello& hello, SessionId fresh_id);
  /// The stream of that epoch is over.
  void Detach(std::uint64_t epoch);
  /// The next message for the stream of that epoch.
  bool NextToSend(std::uint64_t epoch, v1::DriveResponse* message);
  void OnPosition(std::uint64_t epoch, const v1::Position& position);
  absl::Status OnAck(std::uint64_t epoch, std::uint64_t sequence);
  /// A command came, checked by ValidateCommand. RESOURCE_EXHAUSTED with a pause: the driver sends
  /// more commands than it may, or the market is behind; the driver is to resume and to repeat it.
  absl::Status OnCommand(std::uint64_t epoch, Event event);
  /// Something came that only shows that the driver lives.
  void OnHeartbeat(std::uint64_t epoch);
  /// A message came that only a newer service understands.
  void OnUnknownMessage(std::uint64_t epoch);

  // Called by the market.

  void Welcome(std::uint64_t epoch, const v1::Snapshot& snapshot);
  void Push(v1::DriveResponse message);
  void SetAvailability(const SetAvailability& availability);
  /// The driver goes home: drops the session and ends its stream with OK. False, and nothing is
  /// done, if a newer stream has come or the session was dropped already.
  bool EndShift(std::uint64_t epoch);

  // Called by the registry.

  /// Looks at silence and heartbeats. True: the session may be forgotten.
  bool Tick();
  /// Evicts the session for another one, if little is lost by it: the driver has no stream and
  /// nothing to do, or has had time to send a good position and hasn't. True: it may be forgotten.
  bool MakeRoom();
  /// Takes the driver off the map.
  void ReportOffline();
  /// Pushes that the driver hasn't acked.
  std::size_t unacked() const;
  /// The driver's position, if it is connected and has sent one.
  std::optional<LatLng> position() const;

  // Called for those who look on.

  v1::GetDriverResponse Describe() const;

 private:
  /// Writes a log line with the ids of driver and session.
  void Log(service::Level level, std::string_view event, const SessionId& id,
           std::uint64_t epoch) const;
  void Forward(location::v1::DriverState state) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  /// Nobody can attach or push any more. Returns the stream, to be ended after the lock.
  std::shared_ptr<SessionStream> Drop() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  /// Whether a stream of that epoch is current: there is no newer stream, and the session exists.
  bool IsCurrent(std::uint64_t epoch) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return !dropped_ && session_.epoch() == epoch;
  }
  /// Notes a message of the driver. False if that epoch is fenced.
  bool Hear(std::uint64_t epoch);

  const DriverId driver_;
  const MarketId market_;
  const Surroundings around_;

  mutable Mutex mu_;
  Session session_ ABSL_GUARDED_BY(mu_);
  bool dropped_ ABSL_GUARDED_BY(mu_) = false;
  // Shared with gRPC, which may still run reactions of a stream that was replaced.
  std::shared_ptr<SessionStream> stream_ ABSL_GUARDED_BY(mu_);
  PushHistory history_ ABSL_GUARDED_BY(mu_);
  v1::Hello hello_ ABSL_GUARDED_BY(mu_);
  location::v1::DriverState state_ ABSL_GUARDED_BY(mu_) = location::v1::DRIVER_STATE_IDLE;
  std::uint32_t free_seats_ ABSL_GUARDED_BY(mu_) = 0;
  bool market_wants_positions_ ABSL_GUARDED_BY(mu_) = false;
  std::uint64_t report_sequence_ ABSL_GUARDED_BY(mu_) = 0;
  std::uint32_t heading_deg_ ABSL_GUARDED_BY(mu_) = 0;
  std::uint32_t speed_dm_per_s_ ABSL_GUARDED_BY(mu_) = 0;
  Time position_at_ ABSL_GUARDED_BY(mu_){};
  Time heartbeat_at_ ABSL_GUARDED_BY(mu_){};
  Time heard_at_ ABSL_GUARDED_BY(mu_){};
  Time attached_at_ ABSL_GUARDED_BY(mu_){};
};

}  // namespace ridestream::dispatch
