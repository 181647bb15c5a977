#pragma once

#include "libs/base/clock.h"
#include "libs/metrics/service_metrics.h"
#include "services/exporter/domain/event_queue.h"
#include "services/exporter/domain/exporter.h"
#include "services/exporter/position_flow.h"
#include "services/exporter/rpc/trip_log.h"

namespace ridestream::exporter {

/// Adds the gauges and counters that are read from the export. All must outlive the exporter of the
/// metrics.
void AddReadings(metrics::ServiceMetrics& metrics, const Exporter& exporter, const TripLog& log,
                 const EventQueue& queue, const Clock& clock);
/// Adds the gauges and counters of positions; `flow` is null if none are exported.
void AddReadings(metrics::ServiceMetrics& metrics, const PositionFlow* flow);

}  // namespace ridestream::exporter
