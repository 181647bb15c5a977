#pragma once

#include "libs/base/clock.h"
#include "libs/metrics/service_metrics.h"
#include "services/exporter/domain/event_queue.h"
#include "services/exporter/domain/exporter.h"

namespace ridestream::exporter {

/// Adds what is read of the export. All must outlive the exporter of the metrics.
void AddReadings(metrics::ServiceMetrics& metrics, const Exporter& exporter,
                 const EventQueue& queue, const Clock& clock);

}  // namespace ridestream::exporter
