#include "services/trip/handlers/progress_reader.h"

#include <utility>

#include "services/trip/handlers/request_checks.h"

namespace ridestream::trip {

void ProgressReader::Begin() {
  MutexLock lock(mu_);
  if (!finished_) options_.stream.StartRead();
}

void ProgressReader::OnRead(const v1::ReportProgressRequest& report) {
  if (absl::Status status = CheckReport(report); !status.ok()) return Close(status);
  options_.on_report(report);
  MutexLock lock(mu_);
  response_.set_received(response_.received() + static_cast<std::uint64_t>(report.trips_size()));
  if (!finished_) options_.stream.StartRead();
}

void ProgressReader::Close(const absl::Status& status) {
  MutexLock lock(mu_);
  if (std::exchange(finished_, true)) return;
  options_.stream.Finish(status, response_);
}

}  // namespace ridestream::trip
