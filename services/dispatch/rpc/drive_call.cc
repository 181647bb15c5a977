#include "services/dispatch/rpc/drive_call.h"

#include <fmt/format.h>

#include <utility>

#include "libs/rpc/message_bytes.h"
#include "libs/rpc/status.h"

namespace ridestream::dispatch {

void DriveCall::Begin(std::shared_ptr<DriveStream> stream, rpc::CallObserver* observer) {
  stream_ = std::move(stream);
  observer_ = observer;
  StartRead(&read_);
}

void DriveCall::OnReadDone(bool ok) {
  if (!ok) return stream_->OnReadsEnded();
  if (const absl::Status status = ParseRead(); !status.ok()) return stream_->End(status);
  if (stream_->OnRead(request_)) StartRead(&read_);
}

absl::Status DriveCall::ParseRead() {
  if (const std::size_t size = read_.Length(); size > kMaxDriveRequestBytes) {
    return absl::InvalidArgumentError(
        fmt::format("message: has {} bytes, at most {} are allowed", size, kMaxDriveRequestBytes));
  }
  if (!rpc::Parse(read_, request_)) {
    return absl::InvalidArgumentError("message: is not a DriveRequest");
  }
  if (std::exchange(is_first_, false)) return rpc::CallGuard::AdmitRequest(admission_, request_);
  return absl::OkStatus();
}

void DriveCall::Write(const v1::DriveResponse& message) {
  in_flight_ = rpc::ToBytes(message);
  StartWrite(&in_flight_);
}

void DriveCall::Finish(const absl::Status& status) {
  ServerBidiReactor::Finish(rpc::ToGrpcStatus(status, &context_));
}

void DriveCall::OnDone() {
  const absl::Status status = stream_->OnDone();
  if (observer_ != nullptr) {
    observer_->CallEnded(kDriveMethod, static_cast<grpc::StatusCode>(status.code()),
                         std::chrono::nanoseconds(0), /*trace=*/{});
  }
  delete this;
}

}  // namespace ridestream::dispatch
