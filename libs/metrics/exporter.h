#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/metrics/scrape_server.h"
#include "prometheus/collectable.h"

namespace ridestream::metrics {

/// Serves a process's metrics over HTTP, GET /metrics in Prometheus' text format, or in
/// OpenMetrics' with exemplars for clients that accept that, on its own thread. Everything that the
/// metrics read must outlive it.
class Exporter {
 public:
  /// `listen` is the value of --metrics_listen: HOST:PORT, where port 0 chooses a free port, or
  /// "off" to serve nothing. INVALID_ARGUMENT for anything else; UNAVAILABLE if the address can't
  /// be bound.
  static absl::StatusOr<std::unique_ptr<Exporter>> Start(
      const std::string& listen, std::vector<std::shared_ptr<prometheus::Collectable>> metrics);

  /// HOST:PORT with the actual port, or "off".
  const std::string& address() const { return address_; }

 private:
  Exporter(std::string address, std::unique_ptr<ScrapeServer> server)
      : address_(std::move(address)), server_(std::move(server)) {}

  const std::string address_;
  const std::unique_ptr<ScrapeServer> server_;  // Null if off.
};

}  // namespace ridestream::metrics
