#include "services/dispatch/drive/driver_session.h"

#include <fmt/format.h>

#include <utility>

#include "libs/proto_values/proto_values.h"
#include "libs/rpc/retry_after.h"

namespace ridestream::dispatch {
namespace {

constexpr auto kRepeatCommandAfter = std::chrono::seconds(1);
// A driver's first position follows the Welcome. Sessions without one for this long after the Hello
// are the first to be evicted.
constexpr Duration kProveWithin = std::chrono::seconds(2);

}  // namespace

DriverSession::DriverSession(DriverId driver, MarketId market, const Dependencies& surroundings)
    : driver_(std::move(driver)),
      market_(std::move(market)),
      dependencies_(surroundings),
      session_(surroundings.config, surroundings.area) {}

absl::StatusOr<std::uint64_t> DriverSession::Attach(std::shared_ptr<SessionStream> stream,
                                                    const v1::Hello& hello, SessionId fresh_id) {
  std::shared_ptr<SessionStream> fenced;
  SessionId id;
  DriverConnected connected{.driver = driver_, .epoch = 0, .resumed = false, .hello = hello};
  bool posted = false;
  {
    MutexLock lock(mu_);
    if (dropped_) return absl::UnavailableError("the session was just dropped; connect again");
    connected.epoch = session_.Connect(hello, std::move(fresh_id), dependencies_.clock.Now(),
                                       [this](const v1::DriveResponse& push) { OnAcked(push); });
    connected.resumed = session_.resumed();
    hello_ = hello;
    id = session_.id();
    fenced = std::exchange(stream_, std::move(stream));
    heard_at_ = heartbeat_at_ = attached_at_ = dependencies_.clock.Now();
    report_sequence_ = 0;
    if (free_seats_ == 0 && state_ == location::v1::DRIVER_STATE_IDLE) free_seats_ = hello.seats();
    // Under the lock, so that the market receives epochs in order. A queue never calls back.
    posted = dependencies_.events.Post(connected);
  }
  if (fenced != nullptr) {
    fenced->End(absl::AbortedError(
        fmt::format("a newer session of {} took over (epoch {})", driver_, connected.epoch)));
  }
  dependencies_.counters.Count(connected.resumed ? SessionCounter::kResumed
                                                 : SessionCounter::kBegun);
  Log(service::Level::kInfo, connected.resumed ? "session_resumed" : "session_begun", id,
      connected.epoch);
  if (!posted) {
    Detach(connected.epoch);
    return rpc::WithRetryAfter(
        absl::ResourceExhaustedError(fmt::format("market {} is overloaded", market_)),
        std::chrono::seconds(1));
  }
  return connected.epoch;
}

void DriverSession::Detach(std::uint64_t epoch) {
  std::shared_ptr<SessionStream> gone;  // Released after the lock.
  SessionId id;
  {
    MutexLock lock(mu_);
    if (session_.epoch() != epoch || !session_.connected()) return;
    session_.Disconnect(epoch);
    gone = std::move(stream_);
    id = session_.id();
    dependencies_.events.PostAlways(DriverDisconnected{driver_, epoch});
  }
  Log(service::Level::kInfo, "driver_disconnected", id, epoch);
}

bool DriverSession::NextToSend(std::uint64_t epoch, v1::DriveResponse* message) {
  MutexLock lock(mu_);
  return IsCurrent(epoch) && session_.NextToSend(message);
}

void DriverSession::OnPosition(std::uint64_t epoch, const v1::Position& position) {
  const Time now = dependencies_.clock.Now();
  std::optional<LatLng> moved;
  bool was_suspect = false;
  PositionVerdict verdict;
  {
    MutexLock lock(mu_);
    if (!IsCurrent(epoch)) return;
    was_suspect = session_.OnHeard(now);
    heard_at_ = now;
    verdict = session_.OnPosition(position, now);
    if (verdict == PositionVerdict::kAccepted) {
      heading_deg_ = position.heading_deg();
      speed_dm_per_s_ = position.speed_dm_per_s();
      position_at_ = now;
      Forward(state_);
      if (market_wants_positions_) moved = session_.position();
    }
  }
  dependencies_.counters.Count(verdict);
  if (was_suspect) dependencies_.events.PostAlways(DriverHeard{driver_});
  if (moved) (void)dependencies_.events.Post(DriverMoved{driver_, *moved});
}

absl::Status DriverSession::OnAck(std::uint64_t epoch, std::uint64_t sequence) {
  if (!OnHeard(epoch)) return absl::OkStatus();
  MutexLock lock(mu_);
  if (!IsCurrent(epoch)) return absl::OkStatus();
  return session_.Ack(sequence, [this](const v1::DriveResponse& push) { OnAcked(push); });
}

void DriverSession::OnAcked(const v1::DriveResponse& push) {
  if (dependencies_.acks != nullptr) dependencies_.acks->OnAck(driver_, push);
  if (!push.has_offer()) return;
  const Duration took = dependencies_.clock.Now() - FromProto(push.offer().decided_at());
  dependencies_.offer_times.Acked(
      std::chrono::duration_cast<std::chrono::nanoseconds>(took / dependencies_.config.clock_rate));
}

bool DriverSession::OnHeard(std::uint64_t epoch) {
  bool was_suspect = false;
  {
    MutexLock lock(mu_);
    if (!IsCurrent(epoch)) return false;
    heard_at_ = dependencies_.clock.Now();
    was_suspect = session_.OnHeard(heard_at_);
  }
  if (was_suspect) dependencies_.events.PostAlways(DriverHeard{driver_});
  return true;
}

void DriverSession::OnHeartbeat(std::uint64_t epoch) { (void)OnHeard(epoch); }

void DriverSession::OnUnknownMessage(std::uint64_t epoch) {
  if (OnHeard(epoch)) dependencies_.counters.Count(SessionCounter::kUnknownMessage);
}

absl::Status DriverSession::OnCommand(std::uint64_t epoch, Event event) {
  if (!OnHeard(epoch)) return absl::OkStatus();
  bool has_room = false;
  {
    MutexLock lock(mu_);
    has_room = session_.HasRoomForCommand(dependencies_.clock.Now());
  }
  if (!has_room) dependencies_.counters.Count(SessionCounter::kTooManyCommands);
  if (has_room && dependencies_.events.Post(std::move(event))) return absl::OkStatus();
  const std::string why = has_room ? fmt::format("market {} is overloaded", market_)
                                   : fmt::format("more than {:g} commands a second",
                                                 dependencies_.config.max_commands_per_s);
  return rpc::WithRetryAfter(
      absl::ResourceExhaustedError(why + "; resume and repeat what had no effect"),
      kRepeatCommandAfter);
}

void DriverSession::Welcome(std::uint64_t epoch, const v1::Snapshot& snapshot) {
  std::shared_ptr<SessionStream> stream;
  {
    MutexLock lock(mu_);
    session_.Welcome(epoch, driver_, snapshot, dependencies_.clock.Now());
    if (session_.epoch() == epoch) history_.Restore(snapshot);
    stream = stream_;
  }
  if (stream != nullptr) stream->Wake();
}

void DriverSession::Push(v1::DriveResponse message) {
  std::shared_ptr<SessionStream> stream;
  absl::Status status;
  SessionId id;
  std::uint64_t epoch = 0;
  {
    MutexLock lock(mu_);
    history_.Record(message, dependencies_.clock.Now());
    status = session_.Push(std::move(message));
    stream = stream_;
    if (!status.ok()) {
      id = session_.id();
      epoch = session_.epoch();
    }
  }
  if (!status.ok()) {
    dependencies_.counters.Count(SessionCounter::kVoided);
    Log(service::Level::kWarning, "session_voided", id, epoch);
  }
  if (stream == nullptr) return;
  if (status.ok()) {
    stream->Wake();
  } else {
    stream->End(rpc::WithRetryAfter(status, std::chrono::milliseconds(100)));
  }
}

void DriverSession::SetAvailability(const dispatch::SetAvailability& availability) {
  MutexLock lock(mu_);
  state_ = availability.state;
  free_seats_ = availability.free_seats;
  market_wants_positions_ = availability.wants_positions;
  if (session_.connected() && session_.position()) Forward(state_);
}

bool DriverSession::Tick() {
  const Time now = dependencies_.clock.Now();
  std::shared_ptr<SessionStream> stream;
  bool half_open = false;
  {
    MutexLock lock(mu_);
    // Logging never blocks, so these lines may be written under the lock.
    if (session_.MayBeDropped(now)) {
      (void)Drop();  // It has no stream.
      Log(service::Level::kInfo, "session_dropped", session_.id(), session_.epoch());
      return true;
    }
    if (session_.BecameSuspect(now)) {
      dependencies_.events.PostAlways(DriverSuspect{driver_});
      Log(service::Level::kInfo, "driver_suspect", session_.id(), session_.epoch());
    }
    if (!session_.connected()) return false;
    half_open = now - heard_at_ >= kSilentGraces * dependencies_.config.suspect_after;
    if (!half_open && now - heartbeat_at_ < dependencies_.config.heartbeat()) return false;
    heartbeat_at_ = now;
    session_.SendHeartbeat();
    stream = stream_;
  }
  if (stream == nullptr) return false;
  if (half_open) {
    stream->End(absl::DeadlineExceededError("no message arrived from the driver for too long"));
  } else {
    stream->Wake();
  }
  return false;
}

std::shared_ptr<SessionStream> DriverSession::Drop() {
  dropped_ = true;
  // A new session of the driver may begin before the stream of this one ends.
  session_.Disconnect(session_.epoch());
  dependencies_.events.PostAlways(SessionDropped{driver_});
  return std::move(stream_);
}

bool DriverSession::EndShift(std::uint64_t epoch) {
  std::shared_ptr<SessionStream> stream;
  SessionId id;
  {
    MutexLock lock(mu_);
    if (dropped_ || session_.epoch() != epoch) return false;
    stream = Drop();
    id = session_.id();
  }
  Log(service::Level::kInfo, "shift_ended", id, epoch);
  if (stream != nullptr) stream->End(absl::OkStatus());
  return true;
}

bool DriverSession::MakeRoom() {
  std::shared_ptr<SessionStream> stream;
  SessionId id;
  std::uint64_t epoch = 0;
  {
    MutexLock lock(mu_);
    // A session without a stream since its creation is about to get one.
    if (dropped_ || session_.epoch() == 0) return false;
    const bool idle_and_away = !session_.connected() && !history_.HasWork();
    const bool unproven =
        !session_.position() && dependencies_.clock.Now() - attached_at_ >= kProveWithin;
    if (!idle_and_away && !unproven) return false;
    stream = Drop();
    id = session_.id();
    epoch = session_.epoch();
  }
  dependencies_.counters.Count(SessionCounter::kEvicted);
  Log(service::Level::kInfo, "session_evicted", id, epoch);
  if (stream != nullptr) {
    stream->End(rpc::WithRetryAfter(
        absl::ResourceExhaustedError(
            "another driver took this session's place, since no valid position arrived"),
        kRepeatCommandAfter));
  }
  return true;
}

void DriverSession::ReportOffline() {
  MutexLock lock(mu_);
  if (session_.position()) Forward(location::v1::DRIVER_STATE_OFFLINE);
}

v1::GetDriverResponse DriverSession::Describe() const {
  v1::GetDriverResponse driver;
  driver.set_market(market_.str());
  MutexLock lock(mu_);
  driver.set_name(hello_.name());
  *driver.mutable_vehicle() = hello_.vehicle();
  driver.set_seats(hello_.seats());
  driver.set_connected(session_.connected());
  *driver.mutable_heard_at() = ToProto(heard_at_);
  history_.Describe(driver);
  return driver;
}

SessionId DriverSession::id() const {
  MutexLock lock(mu_);
  return session_.id();
}

void DriverSession::Log(service::Level level, std::string_view event, const SessionId& id,
                        std::uint64_t epoch) const {
  service::Log(level, event,
               {{"driver", driver_.str()},
                {"session", id.str()},
                {"epoch", std::to_string(epoch)},
                {"market", market_.str()}});
}

std::size_t DriverSession::unacked() const {
  MutexLock lock(mu_);
  return session_.unacked();
}

std::optional<LatLng> DriverSession::position() const {
  MutexLock lock(mu_);
  return session_.connected() ? session_.position() : std::nullopt;
}

void DriverSession::Forward(location::v1::DriverState state) {
  dependencies_.positions.Add(
      [&](location::v1::PositionReport& report) ABSL_NO_THREAD_SAFETY_ANALYSIS {
        report.set_driver_id(driver_.str());
        report.set_session_epoch(session_.epoch());
        report.set_sequence(++report_sequence_);
        report.set_received_at_us(
            static_cast<std::uint64_t>(position_at_.time_since_epoch().count()));
        report.set_lat_e7(session_.position()->lat_e7);
        report.set_lng_e7(session_.position()->lng_e7);
        report.set_heading_deg(heading_deg_);
        report.set_speed_dm_per_s(speed_dm_per_s_);
        report.set_state(state);
        report.set_free_seats(free_seats_);
      });
}

}  // namespace ridestream::dispatch
