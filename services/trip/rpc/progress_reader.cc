#include "services/trip/rpc/progress_reader.h"

#include <fmt/format.h>

#include <utility>

#include "libs/rpc/message_bytes.h"
#include "libs/rpc/status.h"
#include "services/trip/rpc/request_checks.h"

namespace ridestream::trip {

std::shared_ptr<ProgressReader> ProgressReader::Make(Options options) {
  auto reader = std::shared_ptr<ProgressReader>(new ProgressReader(std::move(options)));
  reader->self_ = reader;
  return reader;
}

void ProgressReader::Begin() { StartRead(&read_); }

void ProgressReader::OnReadDone(bool ok) {
  if (!ok) return Close(absl::OkStatus());
  if (!rpc::Parse(read_, report_)) return Close(rpc::FromGrpcStatus(rpc::MalformedMessage()));
  if (absl::Status status = CheckReport(report_); !status.ok()) return Close(status);
  options_.on_report(report_);
  MutexLock lock(mu_);
  response_.set_received(response_.received() + static_cast<std::uint64_t>(report_.trips_size()));
  if (!finished_) StartRead(&read_);
}

void ProgressReader::OnCancel() { Close(absl::CancelledError()); }

void ProgressReader::Close(const absl::Status& status) {
  MutexLock lock(mu_);
  if (std::exchange(finished_, true)) return;
  *options_.response = rpc::ToBytes(response_);
  Finish(rpc::ToGrpcStatus(status));
}

void ProgressReader::OnDone() {
  options_.on_done(this);
  self_.reset();  // Last: may delete this.
}

}  // namespace ridestream::trip
