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
    /// Address and limits of the gRPC server. Start adds the services and their observers.
    rpc::ServerOptions server = {};
    /// Not null.
    std::shared_ptr<const Clock> clock = std::make_shared<ScaledClock>();
    /// Credentials of this service, and how callers are authenticated. The default requires the
    /// paths of certificate files.
    rpc::Security::Options security = {};
    /// host:port of the metrics endpoint. Port 0 takes a free port, "off" serves no metrics.
    std::string metrics_listen = "off";
    /// How long Drain waits for calls in progress.
    std::chrono::milliseconds drain_grace{5'000};
  };

  /// The service accepts calls when this returns. UNAVAILABLE if an address can't be bound,
  /// INVALID_ARGUMENT if one isn't host:port.
  static absl::StatusOr<std::unique_ptr<LocationServer>> Start(Options options);

  int port() const { return server_->port(); }
  /// host:port of the gRPC server, with the actual port.
  std::string address() const { return server_->address(); }
  /// host:port of the metrics endpoint, with the actual port, or "off".
  std::string metrics_address() const { return exporter_->address(); }
  /// How callers are authenticated, as text for the log.
  std::string authentication() const { return security_->authenticator().description(); }
  /// Ends all streams, waits up to `drain_grace` for calls in progress, and stops. Call at most
  /// once. The destructor stops without waiting.
  void Drain() { server_->Drain(drain_grace_); }

 private:
  LocationServer(const Options& options, std::unique_ptr<rpc::Security> security);
  absl::Status Serve(rpc::ServerOptions options);

  const std::chrono::milliseconds drain_grace_;
  // Members are used by those declared below them.
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
