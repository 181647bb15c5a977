#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "libs/base/clock.h"
#include "libs/base/timer_queue.h"
#include "libs/metrics/exporter.h"
#include "libs/metrics/service_metrics.h"
#include "libs/peer_clock/clock_service.h"
#include "libs/rpc/security.h"
#include "libs/rpc/server.h"
#include "services/location/handlers/location_handlers.h"
#include "services/location/rpc/location_service.h"

namespace ridestream::location {

/// The location service as one object: the index, its gRPC server and its metrics port.
/// Thread-safe.
class LocationServer {
 public:
  struct Options {
    LocationConfig service = {};
    /// Where and within what limits to serve; Start adds the services and who observes them.
    rpc::ServerOptions server = {};
    /// Not null.
    std::shared_ptr<const Clock> clock = std::make_shared<ScaledClock>();
    /// How it proves who it is, and learns who calls. By default, files that must be named.
    rpc::Security::Options security = {};
    /// host:port of the metrics; port 0 takes a free one, "off" serves none.
    std::string metrics_listen = "off";
    /// How long Drain waits for calls under way.
    std::chrono::milliseconds drain_grace{5'000};
  };

  /// Serves once it returns. UNAVAILABLE when an address can't be had, INVALID_ARGUMENT when one
  /// isn't host:port.
  static absl::StatusOr<std::unique_ptr<LocationServer>> Start(Options options);

  int port() const { return server_->port(); }
  /// host:port with the port that is served.
  std::string address() const { return server_->address(); }
  /// The same for the metrics, or "off".
  std::string metrics_address() const { return exporter_->address(); }
  /// How callers are identified, for the log.
  std::string authentication() const { return security_->authenticator().description(); }
  /// Ends all streams, waits for calls under way for at most `drain_grace`, and stops. Once; the
  /// destructor stops without waiting.
  void Drain() { server_->Drain(drain_grace_); }

 private:
  LocationServer(const Options& options, std::unique_ptr<rpc::Security> security);
  absl::Status Serve(rpc::ServerOptions options);

  const std::chrono::milliseconds drain_grace_;
  // Each is used by those below it.
  const std::unique_ptr<rpc::Security> security_;
  metrics::ServiceMetrics metrics_;
  const std::shared_ptr<const Clock> clock_;
  TimerQueue timers_;
  LocationHandlers handlers_;
  LocationService service_;
  ClockService clock_service_;
  std::unique_ptr<metrics::Exporter> exporter_;
  std::unique_ptr<rpc::Server> server_;
};

}  // namespace ridestream::location
