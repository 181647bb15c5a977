#pragma once

#include "libs/metrics/readings.h"

namespace ridestream::metrics {

/// Adds what Linux knows of this process, under the names that Prometheus' clients in all languages
/// use: process_resident_memory_bytes, process_cpu_seconds_total, process_open_fds … Call it when
/// the process starts: that is its process_start_time_seconds.
void AddProcessFigures(Readings& readings);

}  // namespace ridestream::metrics
