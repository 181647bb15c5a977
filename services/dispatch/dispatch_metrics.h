#pragma once

#include <map>
#include <memory>
#include <string>

#include "libs/metrics/service_metrics.h"
#include "libs/peer_clock/peer_clock.h"
#include "services/dispatch/drive/session_registry.h"
#include "services/dispatch/record/record_queue.h"
#include "services/dispatch/runner/lease_keeper.h"
#include "services/dispatch/runner/market_runner.h"

namespace ridestream::dispatch {

/// Adds what is read of the sessions; `max_sessions` is their bound. They must outlive the
/// exporter.
void AddSessionReadings(metrics::ServiceMetrics& metrics, SessionRegistry& sessions,
                        std::size_t max_sessions);

/// Adds what is read of the markets, all at once.
void AddMarketReadings(metrics::ServiceMetrics& metrics,
                       const std::map<MarketId, std::unique_ptr<MarketRunner>>& markets);

/// Adds what became of the markets' records; 0 for a market that isn't recorded.
void AddRecordReadings(metrics::ServiceMetrics& metrics,
                       const std::map<MarketId, std::unique_ptr<MarketRunner>>& markets,
                       const std::map<MarketId, std::unique_ptr<RecordQueue>>& records);

/// Adds which of the markets' leases this process has.
void AddLeaseReadings(metrics::ServiceMetrics& metrics,
                      const std::map<MarketId, std::unique_ptr<LeaseKeeper>>& leases);

/// Adds how dispatch's clock compares with those of peers, by their names.
void AddClockReadings(metrics::ServiceMetrics& metrics,
                      const std::map<std::string, const PeerClock*>& peers);

}  // namespace ridestream::dispatch
