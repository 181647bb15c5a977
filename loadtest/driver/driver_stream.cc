#include "loadtest/driver/driver_stream.h"

#include <algorithm>
#include <utility>

#include "libs/rpc/caller.h"
#include "libs/rpc/market.h"
#include "libs/rpc/status.h"

namespace ridestream::loadtest {

namespace pb = ::ridestream::dispatch::v1;

std::shared_ptr<DriverStream> DriverStream::Open(pb::DispatchService::Stub& stub,
                                                 const std::string& market,
                                                 const DriverId& driver_id,
                                                 std::shared_ptr<Listener> listener) {
  auto stream = std::shared_ptr<DriverStream>(new DriverStream(std::move(listener)));
  stream->self_ = stream;
  rpc::SetCaller(stream->context_, {rpc::CallerKind::kDriver, driver_id.str()});
  rpc::SetMarket(stream->context_, market);
  stub.async()->Drive(&stream->context_, stream.get());
  stream->StartRead(&stream->incoming_);
  stream->StartCall();
  return stream;
}

void DriverStream::Send(std::vector<pb::DriveRequest> messages) {
  MutexLock lock(mu_);
  if (broken_) return;
  for (pb::DriveRequest& message : messages) Enqueue(std::move(message));
  if (outgoing_.size() > kMaxQueue) {
    broken_ = true;
    outgoing_.clear();
    context_.TryCancel();
  }
  Advance();
}

void DriverStream::Enqueue(pb::DriveRequest message) {
  if (message.has_position() || message.has_ack()) {
    const auto same = std::find_if(outgoing_.begin(), outgoing_.end(), [&](const auto& waiting) {
      return waiting.message_case() == message.message_case();
    });
    if (same != outgoing_.end()) {
      *same = std::move(message);
      return;
    }
  }
  outgoing_.push_back(std::move(message));
}

void DriverStream::HalfClose() {
  MutexLock lock(mu_);
  half_close_ = true;
  Advance();
}

void DriverStream::Advance() {
  if (writing_ || broken_) return;
  if (!outgoing_.empty()) {
    writing_ = true;
    in_flight_ = std::move(outgoing_.front());
    outgoing_.pop_front();
    StartWrite(&in_flight_);
  } else if (half_close_) {
    broken_ = true;  // Nothing is written any more; reading continues.
    StartWritesDone();
  }
}

void DriverStream::OnReadDone(bool ok) {
  if (ok) {
    listener_->OnMessage(*this, incoming_);
    // Clear() would keep the memory of a long route.
    if (incoming_.has_plan()) incoming_ = pb::DriveResponse();
    StartRead(&incoming_);
    return;
  }
  MutexLock lock(mu_);
  broken_ = true;
  outgoing_.clear();
}

void DriverStream::OnWriteDone(bool ok) {
  listener_->OnWritten(*this, in_flight_, ok);
  MutexLock lock(mu_);
  writing_ = false;
  if (!ok) {
    broken_ = true;
    outgoing_.clear();
  }
  Advance();
}

void DriverStream::OnDone(const grpc::Status& status) {
  constexpr std::chrono::milliseconds kNone{-1};
  const auto retry_after = rpc::RetryAfter(context_, kNone);
  listener_->OnClosed(*this, rpc::FromGrpcStatus(status),
                      retry_after == kNone ? std::nullopt : std::optional(retry_after));
  listener_.reset();
  self_.reset();  // Last: may delete this.
}

}  // namespace ridestream::loadtest
