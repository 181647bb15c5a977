#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/base/clock.h"
#include "libs/base/timer_queue.h"
#include "libs/base/worker.h"
#include "libs/rpc/security.h"
#include "libs/service/market_addresses.h"
#include "services/exporter/domain/position_export.h"
#include "services/exporter/kafka/position_topic.h"
#include "services/exporter/rpc/area_watch.h"

namespace ridestream::exporter {

/// Copies drivers' positions from location to Kafka on its own thread, from construction to
/// destruction.
class PositionFlow {
 public:
  struct Options {
    std::vector<std::string> markets;
    service::MarketAddresses location;
    /// Interval between two positions of a driver, 100 ms to 10 s.
    std::chrono::milliseconds every;
    PositionTopic::Options topic;
  };
  /// The references must outlive it. FAILED_PRECONDITION or INVALID_ARGUMENT when a market has no
  /// address.
  static absl::StatusOr<std::unique_ptr<PositionFlow>> Start(Options options,
                                                             const rpc::Security& security,
                                                             TimerQueue& timers,
                                                             const Clock& clock);

  const PositionExport& positions() const { return positions_; }

 private:
  struct Source {
    std::unique_ptr<location::v1::LocationService::Stub> location;
    std::unique_ptr<AreaWatch> watch;
  };

  explicit PositionFlow(PositionTopic::Options topic)
      : topic_(std::move(topic)),
        positions_([this](const auto& records) { return topic_.Write(records); }) {}

  PositionTopic topic_;  // The worker's.
  PositionExport positions_;
  std::vector<Source> sources_;
  ThreadExecutor executor_;
  std::unique_ptr<Worker> worker_;
};

}  // namespace ridestream::exporter
