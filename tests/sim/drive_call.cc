#include "tests/sim/drive_call.h"

#include <fmt/format.h>

#include <utility>

#include "services/dispatch/domain/session/drive_request_checks.h"
#include "tests/sim/describe.h"
#include "tests/sim/dispatch_process.h"

namespace ridestream::sim {

namespace pb = ::ridestream::dispatch::v1;

DriveCall::DriveCall(Context& context, DispatchProcess& process, std::shared_ptr<Link> link,
                     DriverId driver, Deliver deliver)
    : context_(context),
      process_(process),
      link_(std::move(link)),
      driver_(std::move(driver)),
      deliver_(std::move(deliver)),
      opened_at_(context.agenda.now()) {}

void DriveCall::End(const absl::Status& status) {
  if (!final_status_) final_status_ = status;
  Advance();
}

void DriveCall::OnLinkClosed(const absl::Status& status) {
  writing_ = false;  // The write under way has failed.
  End(status);
}

std::optional<Time> DriveCall::WaitsForHelloSince() const {
  if (session_ != nullptr || final_status_) return std::nullopt;
  return opened_at_;
}

void DriveCall::OnMessage(const pb::DriveRequest& request) {
  // Also when it is finished already: gRPC may still hand out what it has read.
  context_.trace.Line("{} says {}", link_->name(), Describe(request));
  if (session_ != nullptr && epoch_ < process_.NewestEpochOf(driver_)) {
    context_.faults.Count(Fault::kMessageOvertaken);
  }
  const absl::Status status = Take(request);
  if (status.ok()) return;
  if (absl::IsInvalidArgument(status)) {
    context_.Violated(fmt::format("{}: '{}' is refused: {}", link_->name(), Describe(request),
                                  status.ToString()));
  }
  End(status);
}

absl::Status DriveCall::Take(const pb::DriveRequest& request) {
  if (session_ == nullptr) {
    if (!request.has_hello()) {
      return absl::InvalidArgumentError("the first message of a Drive stream must be hello");
    }
    return TakeHello(request.hello());
  }
  if (absl::Status status = dispatch::ValidateCommand(request); !status.ok()) return status;
  const DispatchProcess::Speaker speaker(process_, driver_, epoch_);
  const std::uint64_t epoch =
      context_.Has(Bug::kNoFencing) ? process_.NewestEpochOf(driver_) : epoch_;
  if (absl::Status status = dispatch::ValidateCommand(request); !status.ok()) return status;
  switch (request.message_case()) {
    case pb::DriveRequest::kPosition:
      session_->OnPosition(epoch, request.position());
      return absl::OkStatus();
    case pb::DriveRequest::kAck:
      if (epoch == process_.NewestEpochOf(driver_)) {
        process_.Acked(driver_, request.ack().sequence());
      }
      return session_->OnAck(epoch, request.ack().sequence());
    case pb::DriveRequest::kOfferAnswer:
      return session_->OnCommand(epoch, dispatch::OfferAnswered{driver_, request.offer_answer()});
    case pb::DriveRequest::kStopUpdate:
      return session_->OnCommand(epoch, dispatch::StopUpdated{driver_, request.stop_update()});
    case pb::DriveRequest::kGiveUp:
      return session_->OnCommand(epoch, dispatch::TripGivenUp{driver_, request.give_up()});
    case pb::DriveRequest::kHeartbeat:
      session_->OnHeartbeat(epoch);
      return absl::OkStatus();
    case pb::DriveRequest::kEndShift:
      return session_->OnCommand(epoch, dispatch::ShiftEnded{driver_, epoch});
    case pb::DriveRequest::kHello:
      return absl::InvalidArgumentError("hello: came twice on one stream");
    case pb::DriveRequest::MESSAGE_NOT_SET:
      session_->OnUnknownMessage(epoch);
      return absl::OkStatus();
  }
  return absl::InternalError("unreachable: all kinds of messages are handled");
}

absl::Status DriveCall::TakeHello(pb::Hello hello) {
  if (context_.Has(Bug::kEpochsBeginAnew)) hello.mutable_resume()->clear_epoch();
  auto session = process_.FindOrMake(driver_, hello);
  if (!session.ok()) return session.status();
  const bool could_resume = process_.CouldResume(driver_, hello);
  const SessionId fresh = process_.FreshSessionId();
  const absl::StatusOr<std::uint64_t> epoch = (*session)->Attach(shared_from_this(), hello, fresh);
  process_.Attached(driver_, epoch, fresh, could_resume);
  if (could_resume) process_.Acked(driver_, hello.resume().last_sequence());
  if (!epoch.ok()) return epoch.status();
  session_ = *session;
  epoch_ = *epoch;
  if (!final_status_) {
    Advance();
    return absl::OkStatus();
  }
  // It ended while the Hello was taken in: nobody else will detach it.
  session_->Detach(epoch_);
  return absl::OkStatus();
}

void DriveCall::Advance() {
  if (writing_ || finished_) return;
  if (final_status_) {
    finished_ = true;
    link_->Finish(Side::kServer, *final_status_);
    // gRPC says a little later that it is done; another stream may have come by then.
    Duration done_after = Latency(context_);
    if (!context_.faults.calm() && context_.random.Chance(0.3)) {
      done_after = context_.random.Between(Duration(0), Duration(std::chrono::seconds(5)));
    }
    context_.agenda.After(done_after, process_.life(),
                          [self = shared_from_this()] { self->OnDone(); });
    return;
  }
  pb::DriveResponse message;
  if (session_ != nullptr && session_->NextToSend(epoch_, &message)) Write(message);
}

void DriveCall::Write(const pb::DriveResponse& message) {
  writing_ = true;
  link_->Send(Side::kClient, [deliver = deliver_, message] { deliver(message); });
  if (context_.Has(Bug::kWriteCountsAsAck) && message.sequence() > 0) {
    (void)session_->OnAck(epoch_, message.sequence());
  }
  // Done means that the transport took it, which it does more slowly for a reader that is slow.
  const Duration taken_after = context_.faults.Strikes(Fault::kReaderSlow)
                                   ? context_.random.Between(Duration(std::chrono::seconds(1)),
                                                             Duration(std::chrono::seconds(30)))
                                   : context_.random.Between(Duration(0), Latency(context_) / 4);
  context_.agenda.After(taken_after, process_.life(), [self = shared_from_this()] {
    self->writing_ = false;
    self->Advance();
  });
}

void DriveCall::OnDone() {
  const auto session = std::exchange(session_, nullptr);
  if (session != nullptr) {
    session->Detach(context_.Has(Bug::kLateEndRemovesSession) ? process_.NewestEpochOf(driver_)
                                                              : epoch_);
  }
  link_->Leave(Side::kServer);
  process_.Forget(*this);
}

}  // namespace ridestream::sim
