#include "services/trip/rpc/progress_reader.h"

#include <fmt/format.h>

#include <utility>

#include "libs/rpc/status.h"
#include "services/trip/rpc/request_checks.h"

namespace ridestream::trip {

std::shared_ptr<ProgressReader> ProgressReader::Make(Options options) {
  auto reader = std::shared_ptr<ProgressReader>(new ProgressReader(std::move(options)));
  reader->self_ = reader;
  return reader;
}

void ProgressReader::Begin() { StartRead(&report_); }

void ProgressReader::OnReadDone(bool ok) {
  if (!ok) return Close(absl::OkStatus());
  if (absl::Status status = CheckReport(report_); !status.ok()) return Close(status);
  options_.response->set_received(options_.response->received() +
                                  static_cast<std::uint64_t>(report_.trips_size()));
  options_.on_report(report_);
  MutexLock lock(mu_);
  if (!finished_) StartRead(&report_);
}

void ProgressReader::OnCancel() { Close(absl::CancelledError()); }

void ProgressReader::Close(const absl::Status& status) {
  MutexLock lock(mu_);
  if (std::exchange(finished_, true)) return;
  Finish(rpc::ToGrpcStatus(status));
}

void ProgressReader::OnDone() {
  options_.on_done(this);
  self_.reset();  // Last: may delete this.
}

}  // namespace ridestream::trip
