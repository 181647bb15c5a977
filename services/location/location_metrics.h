#pragma once

#include "libs/metrics/readings.h"
#include "prometheus/registry.h"
#include "services/location/handlers/location_handlers.h"

namespace ridestream::location {

/// Measures the batches of positions.
LocationHandlers::OnBatch MeasureBatches(prometheus::Registry& registry);

/// Adds what is read of the handlers, which must outlive the exporter.
void AddReadings(metrics::Readings& readings, const LocationHandlers& handlers,
                 const LocationConfig& config);

}  // namespace ridestream::location
