#include "services/gateway/gateway_metrics.h"

namespace ridestream::gateway {

using Kind = metrics::Readings::Kind;

void AddReadings(metrics::Readings& readings, const HttpServer& server, const HttpLimits& limits) {
  readings.AddOne(Kind::kGauge, "gateway_connections", "Open connections, including WebSockets",
                  [&server] { return static_cast<double>(server.stats().open_connections); });
  readings.AddOne(Kind::kGauge, "gateway_connections_bound", "Limit of open connections",
                  [bound = limits.connections] { return static_cast<double>(bound); });
  readings.AddOne(
      Kind::kCounter, "gateway_connections_refused_total",
      "Connections that were refused because there were too many, in total or from one address",
      [&server] { return static_cast<double>(server.stats().refused_connections); });
  readings.AddOne(
      Kind::kGauge, "gateway_body_bytes",
      "Memory in use for request bodies and WebSocket messages, complete or not, in bytes",
      [&server] { return static_cast<double>(server.stats().body_bytes); });
  readings.AddOne(Kind::kGauge, "gateway_body_bytes_bound",
                  "Limit of the memory for request bodies and WebSocket messages, in bytes",
                  [bound = limits.all_body_bytes] { return static_cast<double>(bound); });
}

}  // namespace ridestream::gateway
