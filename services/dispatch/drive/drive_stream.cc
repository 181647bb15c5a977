#include "services/dispatch/drive/drive_stream.h"

#include <utility>

#include "libs/proto_values/proto_values.h"
#include "services/dispatch/domain/session/drive_request_checks.h"
#include "services/dispatch/drive/session_registry.h"

namespace ridestream::dispatch {

DriveStream::DriveStream(SessionRegistry& registry, DuplexStream& transport, std::uint64_t id,
                         DriverId driver, PeerAddress address, Time opened_at)
    : registry_(registry),
      transport_(transport),
      id_(id),
      driver_(std::move(driver)),
      address_(std::move(address)),
      opened_at_(opened_at) {}

void DriveStream::Wake() {
  MutexLock lock(mu_);
  Advance();
}

void DriveStream::End(const absl::Status& status) {
  MutexLock lock(mu_);
  EndLocked(status);
}

void DriveStream::SendGoodbye(v1::Goodbye goodbye, const absl::Status& status) {
  MutexLock lock(mu_);
  if (final_status_) return;
  *goodbye_.emplace().mutable_goodbye() = std::move(goodbye);
  EndLocked(status);
}

void DriveStream::BreakOffIfStuck(Time now, Duration patience) {
  MutexLock lock(mu_);
  if (!final_status_ || !writing_) return;
  if (!stuck_since_) stuck_since_ = now;
  // The write then fails, and Finish follows it.
  if (now - *stuck_since_ >= patience) transport_.Cancel();
}

std::optional<Time> DriveStream::WaitsForHelloSince() const {
  MutexLock lock(mu_);
  if (session_ != nullptr || final_status_) return std::nullopt;
  return opened_at_;
}

bool DriveStream::OnRead(const v1::DriveRequest& request) {
  const absl::Status status = Handle(request);
  if (!status.ok()) End(status);
  return status.ok();
}

void DriveStream::OnReadsEnded() { End(absl::OkStatus()); }

absl::Status DriveStream::Handle(const v1::DriveRequest& request) {
  std::shared_ptr<DriverSession> session;
  std::uint64_t epoch = 0;
  {
    MutexLock lock(mu_);
    session = session_;
    epoch = epoch_;
  }
  if (session == nullptr) {
    if (!request.has_hello()) {
      return absl::InvalidArgumentError("the first message of a Drive stream must be hello");
    }
    return OnHello(request.hello());
  }
  if (absl::Status status = ValidateCommand(request); !status.ok()) return status;
  switch (request.message_case()) {
    case v1::DriveRequest::kPosition:
      session->OnPosition(epoch, request.position());
      return absl::OkStatus();
    case v1::DriveRequest::kAck:
      return session->OnAck(epoch, request.ack().sequence());
    case v1::DriveRequest::kHello:
      return absl::InvalidArgumentError("hello: came twice on one stream");
    case v1::DriveRequest::kOfferAnswer:
      return session->OnCommand(epoch, OfferAnswered{driver_, request.offer_answer()});
    case v1::DriveRequest::kStopUpdate:
      return session->OnCommand(epoch, StopUpdated{driver_, request.stop_update()});
    case v1::DriveRequest::kGiveUp:
      return session->OnCommand(epoch, TripGivenUp{driver_, request.give_up()});
    case v1::DriveRequest::kHeartbeat:
      session->OnHeartbeat(epoch);
      return absl::OkStatus();
    case v1::DriveRequest::kEndShift:
      return session->OnCommand(epoch, ShiftEnded{driver_, epoch});
    case v1::DriveRequest::MESSAGE_NOT_SET:
      session->OnUnknownMessage(epoch);
      return absl::OkStatus();
  }
  return absl::InternalError("unreachable: all kinds of messages are handled");
}

absl::Status DriveStream::OnHello(const v1::Hello& hello) {
  absl::StatusOr<std::shared_ptr<DriverSession>> session =
      registry_.FindOrMake(driver_, hello, address_);
  if (!session.ok()) return session.status();
  const absl::StatusOr<std::uint64_t> epoch =
      (*session)->Attach(shared_from_this(), hello, registry_.FreshSessionId());
  if (!epoch.ok()) return epoch.status();
  {
    MutexLock lock(mu_);
    session_ = *session;
    epoch_ = *epoch;
    if (!final_status_) {
      Advance();
      return absl::OkStatus();
    }
  }
  // The stream ended while its Hello was handled, so it has to be detached here.
  (*session)->Detach(*epoch);
  return absl::OkStatus();
}

void DriveStream::OnWritten(bool ok) {
  MutexLock lock(mu_);
  writing_ = false;
  if (!ok) {
    goodbye_.reset();
    EndLocked(absl::CancelledError("the driver is gone"));
  }
  Advance();
}

void DriveStream::OnCancelled() {
  MutexLock lock(mu_);
  goodbye_.reset();
  EndLocked(absl::CancelledError("the driver is gone"));
}

void DriveStream::EndLocked(const absl::Status& status) {
  if (!final_status_) final_status_ = status;
  Advance();
}

void DriveStream::Advance() {
  if (writing_ || finished_) return;
  if (final_status_) {
    if (goodbye_) {
      Write(*goodbye_);
      goodbye_.reset();
      return;
    }
    finished_ = true;
    transport_.Finish(*final_status_);
    return;
  }
  v1::DriveResponse next;
  if (session_ != nullptr && session_->NextToSend(epoch_, &next)) Write(next);
}

void DriveStream::Write(const v1::DriveResponse& message) {
  writing_ = true;
  transport_.Write(message);
}

absl::Status DriveStream::OnDone() {
  std::shared_ptr<DriverSession> session;
  std::uint64_t epoch = 0;
  absl::Status status;
  {
    MutexLock lock(mu_);
    session = std::move(session_);
    epoch = epoch_;
    status = final_status_.value_or(absl::UnknownError("the stream was never finished"));
  }
  if (session != nullptr) session->Detach(epoch);
  registry_.Forget(*this);
  return status;
}

}  // namespace ridestream::dispatch
