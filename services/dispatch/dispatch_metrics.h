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

/// Adds the gauges and counters that are read from the sessions, whose maximum is `max_sessions`.
/// Both must outlive the exporter.
void AddSessionReadings(metrics::ServiceMetrics& metrics, SessionRegistry& sessions,
                        std::size_t max_sessions);

/// Adds the gauges and counters that are read from the markets.
void AddMarketReadings(metrics::ServiceMetrics& metrics,
                       const std::map<MarketId, std::unique_ptr<MarketRunner>>& markets);

/// Adds what became of the markets' records; 0 for a market that isn't recorded.
void AddRecordReadings(metrics::ServiceMetrics& metrics,
                       const std::map<MarketId, std::unique_ptr<MarketRunner>>& markets,
                       const std::map<MarketId, std::unique_ptr<RecordQueue>>& records);

/// Adds gauges of which markets' leases this process holds.
void AddLeaseReadings(metrics::ServiceMetrics& metrics,
                      const std::map<MarketId, std::unique_ptr<LeaseKeeper>>& leases);

/// Adds gauges that compare dispatch's clock with those of its peers, by name.
void AddClockReadings(metrics::ServiceMetrics& metrics,
                      const std::map<std::string, const PeerClock*>& peers);

}  // namespace ridestream::dispatch
