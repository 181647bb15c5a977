#pragma once

#include "libs/metrics/readings.h"

namespace ridestream::metrics {

/// Adds Linux's figures of this process under the names that Prometheus' client libraries use:
/// process_resident_memory_bytes, process_cpu_seconds_total, process_open_fds … Call it when the
/// process starts: the time of the call becomes process_start_time_seconds.
void AddProcessFigures(Readings& readings);

}  // namespace ridestream::metrics
