#pragma once

#include "libs/metrics/readings.h"
#include "services/gateway/http/http_server.h"

namespace ridestream::gateway {

/// Adds what is read of the server, which must outlive the exporter.
void AddReadings(metrics::Readings& readings, const HttpServer& server, const HttpLimits& limits);

}  // namespace ridestream::gateway
