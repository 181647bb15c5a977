#include "services/gateway/gateway_metrics.h"

namespace ridestream::gateway {

using Kind = metrics::Readings::Kind;

void AddReadings(metrics::Readings& readings, const HttpServer& server, const HttpLimits& limits) {
  readings.AddOne(Kind::kGauge, "gateway_connections",
                  "Connections that are open, WebSockets included",
                  [&server] { return static_cast<double>(server.stats().open_connections); });
  readings.AddOne(Kind::kGauge, "gateway_connections_bound", "Connections that may be open",
                  [bound = limits.connections] { return static_cast<double>(bound); });
  readings.AddOne(
      Kind::kCounter, "gateway_connections_refused_total",
      "Connections that were turned away because there were too many, in all or of their "
      "address",
      [&server] { return static_cast<double>(server.stats().refused_connections); });
  readings.AddOne(Kind::kGauge, "gateway_body_bytes",
                  "Held of bodies of requests and messages of WebSockets, whole or not",
                  [&server] { return static_cast<double>(server.stats().body_bytes); });
  readings.AddOne(Kind::kGauge, "gateway_body_bytes_bound",
                  "What may be held of bodies and messages",
                  [bound = limits.all_body_bytes] { return static_cast<double>(bound); });
}

}  // namespace ridestream::gateway
