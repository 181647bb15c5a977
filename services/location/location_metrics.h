#pragma once

#include "libs/metrics/readings.h"
#include "prometheus/registry.h"
#include "services/location/handlers/location_handlers.h"

namespace ridestream::location {

/// Returns a callback that records the size and duration of each batch of positions.
LocationHandlers::OnBatch MeasureBatches(prometheus::Registry& registry);

/// Adds the gauges and counters that are read from the handlers, which must outlive the exporter.
void AddReadings(metrics::Readings& readings, const LocationHandlers& handlers,
                 const LocationConfig& config);

}  // namespace ridestream::location
