#include "services/location/rpc/position_reader.h"

#include <utility>

#include "libs/rpc/message_bytes.h"
#include "libs/rpc/status.h"
#include "services/location/rpc/convert.h"

namespace ridestream::location {

PositionReader::PositionReader(LocationIndex& index, const Clock& clock,
                               const service::ServedMarkets& markets, grpc::ByteBuffer& response,
                               const OnBatch& on_batch,
                               std::function<void(PositionReader*)> on_done)
    : index_(index),
      clock_(clock),
      markets_(markets),
      on_batch_(on_batch),
      on_done_(std::move(on_done)),
      response_(response) {}

std::shared_ptr<PositionReader> PositionReader::Make(LocationIndex& index, const Clock& clock,
                                                     const service::ServedMarkets& markets,
                                                     grpc::ByteBuffer& response,
                                                     const OnBatch& on_batch,
                                                     std::function<void(PositionReader*)> on_done) {
  std::shared_ptr<PositionReader> reader(
      new PositionReader(index, clock, markets, response, on_batch, std::move(on_done)));
  reader->self_ = reader;
  return reader;
}

void PositionReader::ReadNext() {
  MutexLock lock(mu_);
  if (!finished_) StartRead(&read_);
}

bool PositionReader::IsFinished() {
  MutexLock lock(mu_);
  return finished_;
}

void PositionReader::OnReadDone(bool ok) {
  if (!ok) {
    // The reporter has half-closed; or the call is cancelled, and then the status is not sent.
    Close(grpc::Status::OK);
    return;
  }
  if (IsFinished()) return;
  if (!rpc::Parse(read_, batch_)) return Close(rpc::MalformedMessage());
  if (absl::Status status = ApplyBatch(); !status.ok()) {
    Close(rpc::ToGrpcStatus(status));
    return;
  }
  ReadNext();
}

absl::Status PositionReader::ApplyBatch() {
  const auto began = std::chrono::steady_clock::now();
  if (absl::Status status = ToReports(batch_, reports_); !status.ok()) return status;
  if (absl::Status status = markets_.Check(batch_.market(), "market"); !status.ok()) return status;
  const ApplyCounts counts = index_.Apply(batch_.market(), reports_, clock_.Now());
  if (on_batch_) on_batch_(reports_.size(), std::chrono::steady_clock::now() - began);
  MutexLock lock(mu_);
  counts_ += counts;
  return absl::OkStatus();
}

void PositionReader::Close(const grpc::Status& status) {
  MutexLock lock(mu_);
  if (std::exchange(finished_, true)) return;
  v1::ReportPositionsResponse response;
  response.set_applied(counts_.applied);
  response.set_superseded(counts_.superseded);
  response.set_rejected(counts_.rejected);
  response_ = rpc::ToBytes(response);
  Finish(status);
}

void PositionReader::OnDone() {
  on_done_(this);
  self_.reset();  // Last: may delete this.
}

}  // namespace ridestream::location
