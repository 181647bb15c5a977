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

/// A driver's current stream as seen by its session. Thread-safe. A stream calls its session while
/// it holds its own lock, so a session must not call a stream while it holds the session's.
class SessionStream {
 public:
  virtual ~SessionStream() = default;
  /// The session may have something to send.
  virtual void Wake() = 0;
  /// Ends the stream. Messages in the session wait for a resume.
  virtual void End(const absl::Status& status) = 0;
};

/// Receives a market's events. Thread-safe, never calls back.
class EventSink {
 public:
  virtual ~EventSink() = default;
  /// Returns false if the queue is full and the event wasn't accepted. Its cause will be repeated.
  virtual bool Post(Event event) = 0;
  /// For events that a session sends once and nobody repeats: that its driver left, fell silent,
  /// was heard again, or was dropped. Always accepted. Bounded by the sessions, with a few per
  /// second each.
  virtual void PostAlways(Event event) = 0;
};

/// Receives the positions of a market's drivers. Never calls back.
class PositionSink {
 public:
  virtual ~PositionSink() = default;
  /// `fill` must set every field of the report, which may be a reused one.
  virtual void Add(absl::FunctionRef<void(location::v1::PositionReport&)> fill) = 0;
};

/// One driver's session, shared by its streams, its market and the registry: the protocol's state
/// machine, the lock that guards it, and its current stream. Outlives its streams.
/// Thread-safe. Lock order: a stream's lock, then this one. So streams are woken only after this
/// lock is released.
class DriverSession {
 public:
  /// A stream is half-open, and closed, after this many times the suspect grace without a message.
  static constexpr int kSilentGraces = 4;

  /// Dependencies of a session, which they must outlive.
  struct Dependencies {
    const SessionConfig& config;
    const Clock& clock;
    EventSink& events;
    PositionSink& positions;
    SessionCounters& counters;
    OfferTimes& offer_times;
    /// Where the market's drivers can be; null means everywhere.
    const S2LatLngRect* area = nullptr;
    /// May be null.
    AckListener* acks = nullptr;
  };

  DriverSession(DriverId driver, MarketId market, const Dependencies& surroundings);

  const DriverId& driver() const { return driver_; }
  const MarketId& market() const { return market_; }
  /// The session's id. It changes when a new session begins.
  SessionId id() const;

  // Called by streams.

  /// `stream` takes over with this Hello; the previous stream is closed with ABORTED. Returns the
  /// epoch. UNAVAILABLE if the session is being dropped, RESOURCE_EXHAUSTED if the market is
  /// overloaded.
  absl::StatusOr<std::uint64_t> Attach(std::shared_ptr<SessionStream> stream,
                                       const v1::Hello& hello, SessionId fresh_id);
  /// The stream of that epoch has ended.
  void Detach(std::uint64_t epoch);
  /// Gets the next message for the stream of that epoch.
  bool NextToSend(std::uint64_t epoch, v1::DriveResponse* message);
  void OnPosition(std::uint64_t epoch, const v1::Position& position);
  absl::Status OnAck(std::uint64_t epoch, std::uint64_t sequence);
  /// A command arrived that ValidateCommand has checked. RESOURCE_EXHAUSTED, with a pause, if the
  /// driver exceeds its rate of commands or the market is overloaded. The driver must then resume
  /// and repeat the command.
  absl::Status OnCommand(std::uint64_t epoch, Event event);
  /// A message arrived that only shows that the driver is connected.
  void OnHeartbeat(std::uint64_t epoch);
  /// A message arrived that only a newer version of the service understands.
  void OnUnknownMessage(std::uint64_t epoch);

  // Called by the market.

  void Welcome(std::uint64_t epoch, const v1::Snapshot& snapshot);
  void Push(v1::DriveResponse message);
  void SetAvailability(const SetAvailability& availability);
  /// The driver ends the shift: drops the session and ends its stream with OK. Returns false, and
  /// does nothing, if there is a newer stream or the session was already dropped.
  bool EndShift(std::uint64_t epoch);

  // Called by the registry.

  /// Checks for silence and sends heartbeats. Returns true if the session may be removed.
  bool Tick();
  /// Evicts the session in favour of another one, if little is lost: the driver has no stream and
  /// nothing to do, or has had time to send a valid position and hasn't. Returns true if the
  /// session may be removed.
  bool MakeRoom();
  /// Reports the driver as offline to location.
  void ReportOffline();
  /// Number of pushes that the driver hasn't acked.
  std::size_t unacked() const;
  /// The driver's position, if it is connected and has sent one.
  std::optional<LatLng> position() const;

  // Called by observers.

  v1::GetDriverResponse Describe() const;

 private:
  /// Writes a log line with the ids of driver and session.
  void Log(service::Level level, std::string_view event, const SessionId& id,
           std::uint64_t epoch) const;
  /// The driver has newly acked that push.
  void OnAcked(const v1::DriveResponse& push);
  void Forward(location::v1::DriverState state) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  /// Marks the session as dropped: no stream can attach any more. Returns its stream, which must be
  /// ended after the lock is released.
  std::shared_ptr<SessionStream> Drop() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  /// Whether the stream of that epoch is current: there is no newer one, and the session isn't
  /// dropped.
  bool IsCurrent(std::uint64_t epoch) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return !dropped_ && session_.epoch() == epoch;
  }
  /// Records that a message of the driver arrived. Returns false if that epoch is fenced.
  bool OnHeard(std::uint64_t epoch);

  const DriverId driver_;
  const MarketId market_;
  const Dependencies dependencies_;

  mutable Mutex mu_;
  Session session_ ABSL_GUARDED_BY(mu_);
  bool dropped_ ABSL_GUARDED_BY(mu_) = false;
  // Shared with gRPC, which may still run callbacks of a replaced stream.
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
