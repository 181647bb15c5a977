#include "tests/sim/drive_link.h"

#include <fmt/format.h>

#include <utility>

#include "absl/strings/match.h"
#include "tests/sim/describe.h"
#include "tests/sim/dispatch_process.h"

namespace ridestream::sim {

namespace pb = ::ridestream::dispatch::v1;

DriveLink::DriveLink(Context& context, DispatchProcess& process, std::shared_ptr<Link> link,
                     DriverId driver, Deliver deliver)
    : context_(context),
      process_(process),
      link_(std::move(link)),
      driver_(std::move(driver)),
      deliver_(std::move(deliver)) {}

void DriveLink::Begin(std::shared_ptr<dispatch::DriveStream> stream) {
  stream_ = std::move(stream);
  link_->WhenClosed(Side::kServer, [weak = weak_from_this()](const absl::Status&) {
    if (const auto self = weak.lock()) self->OnGone();
  });
}

void DriveLink::OnMessage(const pb::DriveRequest& request) {
  // Also when the stream is finished: gRPC may still deliver what it has read.
  if (!reading_) return;
  context_.trace.Line("{} says {}", link_->name(), Describe(request));
  const DispatchProcess::Speaker speaker(process_, *this, epoch_, request);
  reading_ = stream_->OnRead(request);
}

void DriveLink::Write(const pb::DriveResponse& message) {
  context_.Expect(!said_goodbye_, fmt::format("{}: something follows a goodbye", link_->name()));
  said_goodbye_ = message.has_goodbye();
  if (said_goodbye_) ++context_.seen["goodbye"];
  writing_ = true;
  writing_since_ = context_.agenda.now();
  auto send = [link = link_, deliver = deliver_, message] {
    link->Send(Side::kClient, [deliver, message] { deliver(message); });
  };
  // A write is done when the transport has taken it, which takes longer if the reader is slow, and
  // never happens if the reader takes nothing.
  if (context_.faults.Strikes(Fault::kReaderStuck)) {
    context_.agenda.After(context_.random.Between(Duration(std::chrono::seconds(15)),
                                                  Duration(std::chrono::seconds(60))),
                          process_.life(), [self = shared_from_this(), send] {
                            if (self->writing_) send();
                            self->OnTaken();
                          });
    return;
  }
  send();
  const Duration taken_after = context_.faults.Strikes(Fault::kReaderSlow)
                                   ? context_.random.Between(Duration(std::chrono::seconds(1)),
                                                             Duration(std::chrono::seconds(30)))
                                   : context_.random.Between(Duration(0), Latency(context_) / 4);
  context_.agenda.After(taken_after, process_.life(),
                        [self = shared_from_this()] { self->OnTaken(); });
}

void DriveLink::OnTaken() {
  if (std::exchange(writing_, false)) stream_->OnWritten(true);
}

void DriveLink::Finish(const absl::Status& status) {
  if (absl::IsInvalidArgument(status)) {
    context_.Violated(fmt::format("{}: a driver is refused: {}", link_->name(), status.ToString()));
  }
  const bool is_sent_away = absl::StrContains(status.message(), "draining") && epoch_ > 0;
  context_.Expect(!is_sent_away || said_goodbye_ || gone_,
                  fmt::format("{}: a driver is sent away without a goodbye", link_->name()));
  link_->Finish(Side::kServer, status);
  // gRPC reports the end a little later; another stream may exist by then.
  Duration done_after = Latency(context_);
  if (!context_.faults.calm() && context_.random.Chance(0.3)) {
    done_after = context_.random.Between(Duration(0), Duration(std::chrono::seconds(5)));
  }
  context_.agenda.After(done_after, process_.life(),
                        [self = shared_from_this()] { self->OnDone(); });
}

void DriveLink::Cancel() {
  if (std::exchange(cancelled_, true)) return;
  ++context_.seen["stuck stream broken off"];
  context_.agenda.After(Duration(0), process_.life(), [self = shared_from_this()] {
    self->link_->Abandon(Side::kServer);
    self->OnGone();
  });
}

void DriveLink::OnGone() {
  if (stream_ == nullptr) return;
  reading_ = false;
  gone_ = true;
  const bool was_writing = std::exchange(writing_, false);
  // Three reactions of gRPC, in any order.
  if (context_.random.Chance(0.5)) stream_->OnReadsEnded();
  stream_->OnCancelled();
  if (was_writing) stream_->OnWritten(false);
}

void DriveLink::OnDone() {
  if (stream_ == nullptr) return;
  reading_ = false;
  link_->Leave(Side::kServer);
  (void)std::exchange(stream_, nullptr)->OnDone();
  process_.Forget(*this);
}

void DriveLink::Release() {
  reading_ = false;
  if (const auto stream = std::exchange(stream_, nullptr)) (void)stream->OnDone();
}

}  // namespace ridestream::sim
