#pragma once

#include "libs/metrics/readings.h"
#include "services/gateway/http/http_server.h"

namespace ridestream::gateway {

/// Adds the readings of `server`, which must outlive the exporter.
void AddReadings(metrics::Readings& readings, const HttpServer& server, const HttpLimits& limits);

}  // namespace ridestream::gateway
