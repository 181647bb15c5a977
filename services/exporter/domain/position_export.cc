#include "services/exporter/domain/position_export.h"

#include <utility>

#include "libs/proto_values/proto_values.h"
#include "libs/service/service.h"
#include "ridestream/exporter/v1/exporter.pb.h"

namespace ridestream::exporter {
namespace {

std::string ToValue(const std::string& market, const location::v1::NearbyDriver& driver, Time now) {
  v1::DriverPosition value;
  value.set_market(market);
  value.set_driver_id(driver.driver_id());
  *value.mutable_position() = driver.position();
  value.set_heading_deg(driver.heading_deg());
  value.set_state(driver.state());
  value.set_free_seats(driver.free_seats());
  *value.mutable_received_at() = ToProto(now - std::chrono::milliseconds(driver.age_ms()));
  return value.SerializeAsString();
}

}  // namespace

void PositionExport::Add(const std::string& market, const location::v1::WatchAreaResponse& frame,
                         Time now) {
  MutexLock lock(mu_);
  for (const location::v1::NearbyDriver& driver : frame.drivers()) {
    const auto found = latest_.find(driver.driver_id());
    if (found != latest_.end()) {
      found->second = ToValue(market, driver, now);
      ++dropped_;
    } else if (latest_.size() < kMaxWaiting) {
      latest_.emplace(driver.driver_id(), ToValue(market, driver, now));
    } else {
      ++dropped_;
    }
  }
}

std::chrono::nanoseconds PositionExport::Step() {
  const std::vector<Record> batch = TakeBatch();
  if (batch.empty()) return kIdle;
  const absl::Status status = write_(batch);
  if (failing_ == status.ok()) {
    failing_ = !status.ok();
    service::Log(status.ok() ? service::Level::kInfo : service::Level::kWarning,
                 status.ok() ? "positions_resumed" : "positions_interrupted",
                 {{"error", status.ToString()}});
  }
  // Counted after the line is logged: whoever sees positions dropped finds the reason in the log.
  (status.ok() ? produced_ : dropped_) += batch.size();
  return status.ok() ? std::chrono::nanoseconds(0) : kPauseAfterError;
}

std::vector<Record> PositionExport::TakeBatch() {
  std::vector<Record> batch;
  MutexLock lock(mu_);
  auto next = latest_.upper_bound(last_taken_);
  while (!latest_.empty() && batch.size() < kMaxBatch) {
    if (next == latest_.end()) next = latest_.begin();
    auto node = latest_.extract(next++);
    batch.push_back(
        {.key = std::move(node.key()), .value = std::move(node.mapped()), .headers = {}});
  }
  if (!batch.empty()) last_taken_ = batch.back().key;
  return batch;
}

std::size_t PositionExport::waiting() const {
  MutexLock lock(mu_);
  return latest_.size();
}

}  // namespace ridestream::exporter
