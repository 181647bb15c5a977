#include "services/dispatch/rpc/drive_stream.h"

#include <fmt/format.h>

#include <utility>

#include "libs/proto_values/proto_values.h"
#include "libs/rpc/message_bytes.h"
#include "libs/rpc/status.h"
#include "services/dispatch/domain/session/drive_request_checks.h"
#include "services/dispatch/rpc/session_registry.h"

namespace ridestream::dispatch {

DriveStream::DriveStream(SessionRegistry& registry, grpc::CallbackServerContext& context,
                         DriverId driver, Time opened_at)
    : registry_(registry),
      context_(context),
      driver_(std::move(driver)),
      address_(rpc::ParsePeer(context.peer())),
      opened_at_(opened_at) {}

void DriveStream::Begin(rpc::CallObserver* observer) {
  self_ = shared_from_this();
  observer_ = observer;
  StartRead(&read_);
}

void DriveStream::Wake() {
  MutexLock lock(mu_);
  Advance();
}

void DriveStream::End(const absl::Status& status) {
  MutexLock lock(mu_);
  EndLocked(status);
}

void DriveStream::SayGoodbye(Duration reconnect_after) {
  MutexLock lock(mu_);
  if (final_status_) return;
  *goodbye_.emplace().mutable_goodbye()->mutable_reconnect_after() = ToProto(reconnect_after);
  EndLocked(absl::UnavailableError("the service is draining; connect again"));
}

void DriveStream::BreakOffIfStuck(Time now, Duration patience) {
  MutexLock lock(mu_);
  if (!final_status_ || !writing_) return;
  if (!stuck_since_) stuck_since_ = now;
  // The write then fails, and Finish follows it. Until then gRPC holds the context.
  if (now - *stuck_since_ >= patience) context_.TryCancel();
}

std::optional<Time> DriveStream::WaitsForHelloSince() const {
  MutexLock lock(mu_);
  if (session_ != nullptr || final_status_) return std::nullopt;
  return opened_at_;
}

void DriveStream::OnReadDone(bool ok) {
  if (!ok) {
    // The driver half-closed, or the connection is gone.
    End(absl::OkStatus());
    return;
  }
  if (const absl::Status status = TakeRead(); !status.ok()) {
    End(status);
    return;
  }
  StartRead(&read_);
}

absl::Status DriveStream::TakeRead() {
  if (const std::size_t size = read_.Length(); size > kMaxDriveRequestBytes) {
    return absl::InvalidArgumentError(
        fmt::format("message: has {} bytes, at most {} are allowed", size, kMaxDriveRequestBytes));
  }
  if (!rpc::Parse(read_, request_)) {
    return absl::InvalidArgumentError("message: is no DriveRequest");
  }
  return Take(request_);
}

absl::Status DriveStream::Take(const v1::DriveRequest& request) {
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
    return TakeHello(request.hello());
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

absl::Status DriveStream::TakeHello(const v1::Hello& hello) {
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
  // It ended while the Hello was taken in: nobody else will detach it.
  (*session)->Detach(*epoch);
  return absl::OkStatus();
}

void DriveStream::OnWriteDone(bool ok) {
  MutexLock lock(mu_);
  writing_ = false;
  if (!ok) {
    goodbye_.reset();
    EndLocked(absl::CancelledError("the driver is gone"));
  }
  Advance();
}

void DriveStream::OnCancel() {
  MutexLock lock(mu_);
  goodbye_.reset();
  EndLocked(absl::CancelledError("the driver is gone"));
}

void DriveStream::EndLocked(const absl::Status& status) {
  if (!final_status_) final_status_ = rpc::ToGrpcStatus(status, &context_);
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
    Finish(*final_status_);
    return;
  }
  v1::DriveResponse next;
  if (session_ != nullptr && session_->NextToSend(epoch_, &next)) Write(next);
}

void DriveStream::Write(const v1::DriveResponse& message) {
  in_flight_ = rpc::ToBytes(message);
  writing_ = true;
  StartWrite(&in_flight_);
}

void DriveStream::OnDone() {
  std::shared_ptr<DriverSession> session;
  std::uint64_t epoch = 0;
  grpc::StatusCode code = grpc::StatusCode::UNKNOWN;
  {
    MutexLock lock(mu_);
    session = std::move(session_);
    epoch = epoch_;
    if (final_status_) code = final_status_->error_code();
  }
  if (session != nullptr) session->Detach(epoch);
  if (observer_ != nullptr) observer_->CallEnded(kDriveMethod, code, std::chrono::nanoseconds(0));
  registry_.Forget(*this);
  self_.reset();  // Last: may delete this.
}

}  // namespace ridestream::dispatch
