#pragma once

#include "libs/metrics/readings.h"
#include "prometheus/registry.h"
#include "services/location/rpc/location_service.h"

namespace ridestream::location {

/// Measures the batches of positions; for LocationServiceOptions::on_batch.
PositionReader::OnBatch MeasureBatches(prometheus::Registry& registry);

/// Adds what is read of the service, which must outlive the exporter.
void AddReadings(metrics::Readings& readings, const LocationService& location,
                 const LocationServiceOptions& options);

}  // namespace ridestream::location
