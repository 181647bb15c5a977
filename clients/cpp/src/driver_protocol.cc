#include "clients/cpp/src/driver_protocol.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace ridestream::client {
namespace {

namespace pb = ::ridestream::dispatch::v1;
using std::chrono::nanoseconds;

constexpr nanoseconds kWelcomeWithin = std::chrono::seconds(10);
// A stream that lived so long makes earlier faults forgotten.
constexpr nanoseconds kHealthyAfter = std::chrono::seconds(30);
constexpr nanoseconds kMaxPause = std::chrono::minutes(10);
// No city reports faster, whatever a Welcome says.
constexpr nanoseconds kMinPeriod = std::chrono::milliseconds(100);
constexpr nanoseconds kMinSilence = std::chrono::seconds(1);

/// Whether the same Hello would get the same answer again.
bool IsFinalCode(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kAborted:
      return true;
    // With a pause, another process serves the market; without, the message was too large.
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kResourceExhausted:
      return !DetailsOf(status).retry_after;
    default:
      return false;
  }
}

absl::Status PauseError(nanoseconds pause) {
  return ProtocolError(absl::StrCat("the service asked for a pause of ", pause.count() / 1'000'000,
                                    " ms, which must be 0 to 10 minutes"));
}

}  // namespace

DriverProtocol::DriverProtocol(pb::Hello hello, const std::string& address, std::uint64_t seed)
    : hello_(std::move(hello)), route_(address), backoff_(seed) {}

bool DriverProtocol::MustOpen(Time now) const {
  return state_ == State::kPaused && now >= resume_at_;
}

bool DriverProtocol::is_connected() const {
  return state_ == State::kConnecting || state_ == State::kLive;
}

void DriverProtocol::OnOpen(std::string proof, Time now) {
  if (state_ != State::kPaused) return;
  state_ = State::kConnecting;
  proof_ = std::move(proof);
  opened_at_ = now;
  silent_at_ = now + kWelcomeWithin;
  must_send_hello_ = true;
}

void DriverProtocol::OnMessage(const pb::DriveResponse& message, Time now) {
  if (!is_connected()) return;
  if (state_ == State::kLive && message.has_goodbye()) return OnGoodbye(message.goodbye(), now);
  const absl::Status status =
      state_ == State::kConnecting ? OnFirst(message, now) : OnLater(message);
  if (!status.ok()) return Stop(status);
  silent_at_ = now + Silence();
}

absl::Status DriverProtocol::OnFirst(const pb::DriveResponse& message, Time now) {
  if (absl::Status error = session_.OnWelcome(message); !error.ok()) return error;
  state_ = State::kLive;
  route_.OnWelcome();
  backoff_.Reset();
  welcomed_at_ = sent_at_ = reported_at_ = now;
  if (!message.welcome().resumed()) position_sequence_ = 0;
  acked_ = 0;
  outgoing_.clear();
  if (message.welcome().snapshot().has_plan()) {
    commands_.OnSnapshot(message.welcome().snapshot().plan());
  }
  Report();
  for (const pb::DriveRequest& request : commands_.requests()) Enqueue(request);
  return absl::OkStatus();
}

absl::Status DriverProtocol::OnLater(const pb::DriveResponse& message) {
  // A repeated push is acked again.
  const std::uint64_t sequence = message.sequence();
  if (sequence > 0 && sequence <= session_.last_sequence()) acked_ = std::min(acked_, sequence - 1);
  const bool is_answer = commands_.IsAnswer(message);
  if (absl::Status error = session_.OnPush(message, is_answer); !error.ok()) return error;
  commands_.OnPush(message, session_.plan().value_or(pb::Plan()));
  return absl::OkStatus();
}

void DriverProtocol::OnGoodbye(const pb::Goodbye& goodbye, Time now) {
  const nanoseconds pause = ToDevice(ToNanoseconds(goodbye.reconnect_after()));
  if (pause < nanoseconds::zero()) return Stop(PauseError(pause));
  const bool needs_token = goodbye.reason() == pb::GOODBYE_REASON_PROOF_ENDED;
  const ErrorDetails details = {.retry_after = std::chrono::ceil<std::chrono::milliseconds>(pause),
                                .address = goodbye.address()};
  OnStreamEnd(
      needs_token
          ? MakeError(absl::StatusCode::kUnauthenticated, "the token has expired", details)
          : MakeError(absl::StatusCode::kUnavailable, "the service ends the stream", details),
      now);
}

void DriverProtocol::OnClosed(const absl::Status& status, Time now) {
  if (!is_connected()) return;
  if (!status.ok()) return OnStreamEnd(status, now);
  if (commands_.IsEndingShift()) {
    commands_.OnShiftEnded();
    return Stop(absl::OkStatus());
  }
  OnStreamEnd(MakeError(absl::StatusCode::kUnavailable, "the service ended the stream", {}), now);
}

void DriverProtocol::OnStreamEnd(const absl::Status& status, Time now) {
  if (IsFinal(status, now)) return Stop(status);
  const ErrorDetails details = DetailsOf(status);
  if (details.retry_after && *details.retry_after > kMaxPause) {
    return Stop(PauseError(*details.retry_after));
  }
  const absl::StatusOr<bool> is_redirect = route_.OnEnd(details.address);
  if (!is_redirect.ok()) return Stop(is_redirect.status());
  const nanoseconds pause = PauseAfter(status, *is_redirect);
  state_ = State::kPaused;
  resume_at_ = now + pause;
  if (absl::Status error = session_.OnDisconnected({status, pause}); !error.ok()) Stop(error);
}

bool DriverProtocol::IsFinal(const absl::Status& status, Time now) {
  if (IsFinalCode(status)) return true;
  if (status.code() == absl::StatusCode::kUnauthenticated && !refused_.MayRetry(proof_))
    return true;
  const bool is_fault = IsFault(status.code());
  if (!is_fault || now - opened_at_ >= kHealthyAfter) faults_ = 0;
  faults_ += is_fault;
  return faults_ >= kMaxFaults;
}

nanoseconds DriverProtocol::PauseAfter(const absl::Status& status, bool is_redirect) {
  // A refusal's pause is for the address that refused; a Goodbye's keeps the market's drivers
  // apart.
  if (is_redirect && status.code() == absl::StatusCode::kFailedPrecondition) return {};
  const auto asked = DetailsOf(status).retry_after;
  return backoff_.Next(asked ? std::optional<nanoseconds>(*asked) : std::nullopt);
}

void DriverProtocol::Stop(const absl::Status& status) {
  if (has_ended()) return;
  state_ = State::kEnded;
  status_ = status;
  outgoing_.clear();
  commands_.FailAll(status.ok() ? Stopped() : status);
}

void DriverProtocol::OnTime(Time now) {
  if (is_connected() && now >= silent_at_) {
    OnStreamEnd(
        MakeError(absl::StatusCode::kDeadlineExceeded, "the service sent nothing for too long", {}),
        now);
  }
}

DriverProtocol::Time DriverProtocol::wake_at(bool can_send) const {
  switch (state_) {
    case State::kPaused:
      return resume_at_;
    case State::kEnded:
      return Time::max();
    case State::kConnecting:
      return can_send && must_send_hello_ ? Time::min() : silent_at_;
    case State::kLive:
      break;
  }
  if (!can_send) return silent_at_;
  if (!outgoing_.empty() || session_.ack() > acked_) return Time::min();
  const Time wake = std::min(silent_at_, sent_at_ + HeartbeatEvery());
  return position_ ? std::min(wake, reported_at_ + ReportEvery()) : wake;
}

std::optional<pb::DriveRequest> DriverProtocol::NextRequest(Time now) {
  if (!is_connected()) return std::nullopt;
  pb::DriveRequest request;
  if (must_send_hello_) {
    must_send_hello_ = false;
    *request.mutable_hello() = session_.ToHello(hello_);
    return request;
  }
  if (state_ != State::kLive) return std::nullopt;
  if (session_.ack() > acked_) {
    acked_ = session_.ack();
    request.mutable_ack()->set_sequence(acked_);
  } else {
    if (outgoing_.empty() && now >= reported_at_ + ReportEvery()) Report();
    if (!outgoing_.empty()) {
      request = std::move(outgoing_.front());
      outgoing_.pop_front();
    } else if (now >= sent_at_ + HeartbeatEvery()) {
      request.mutable_heartbeat();
    } else {
      return std::nullopt;
    }
  }
  sent_at_ = now;
  if (request.has_position()) reported_at_ = now;
  return request;
}

void DriverProtocol::Command(pb::DriveRequest request, OnResult on_result) {
  if (has_ended()) return on_result(status_.ok() ? Stopped() : status_);
  if (commands_.Add(request, std::move(on_result)) && state_ == State::kLive) Enqueue(request);
}

void DriverProtocol::Enqueue(const pb::DriveRequest& request) {
  if (request.has_stop_update()) Report();  // Where the car is comes before what it does there.
  outgoing_.push_back(request);
}

void DriverProtocol::MoveTo(const pb::Position& position) {
  const bool is_first = !position_;
  position_ = position;
  if (is_first && state_ == State::kLive) Report();
}

void DriverProtocol::Report() {
  if (!position_) return;
  pb::Position& position = *outgoing_.emplace_back().mutable_position();
  position = *position_;
  position.set_sequence(++position_sequence_);
}

nanoseconds DriverProtocol::TimeLeft(const pb::Offer& offer, Time now) const {
  if (!session_.welcome()) return {};
  const nanoseconds left =
      ToNanoseconds(offer.expires_at()) - ToNanoseconds(session_.welcome()->server_time());
  return ToDevice(left) - (now - welcomed_at_);
}

// A duration of the service's clock on the device's.
nanoseconds DriverProtocol::ToDevice(nanoseconds service) const {
  const double rate = session_.welcome() ? session_.welcome()->clock_rate() : 1;
  // At the slowest clock a hundred times as long, which can be more than nanoseconds can count.
  constexpr double kLongest = 9e18;
  return nanoseconds(static_cast<std::int64_t>(
      std::clamp(static_cast<double>(service.count()) / rate, -kLongest, kLongest)));
}

nanoseconds DriverProtocol::ReportEvery() const {
  return std::max(kMinPeriod, ToDevice(ToNanoseconds(session_.welcome()->report_every())));
}

// Some way ahead of what the service asks for, so that a slow network isn't silence.
nanoseconds DriverProtocol::HeartbeatEvery() const {
  return std::max(kMinPeriod, ToDevice(ToNanoseconds(session_.welcome()->heartbeat())) / 10 * 9);
}

// The service sends a heartbeat at least as often as it asks for one.
nanoseconds DriverProtocol::Silence() const {
  return std::max(kMinSilence, 2 * ToDevice(ToNanoseconds(session_.welcome()->heartbeat())));
}

}  // namespace ridestream::client
