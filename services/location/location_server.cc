#include "services/location/location_server.h"

#include <utility>

#include "services/location/location_metrics.h"

namespace ridestream::location {

absl::StatusOr<std::unique_ptr<LocationServer>> LocationServer::Start(Options options) {
  auto security = rpc::Security::Start(options.security, "location");
  if (!security.ok()) return security.status();
  std::unique_ptr<LocationServer> server(new LocationServer(options, *std::move(security)));
  absl::Status status = server->Serve(std::move(options.server));
  if (!status.ok()) return status;
  return server;
}

LocationServer::LocationServer(const Options& options, std::unique_ptr<rpc::Security> security)
    : drain_grace_(options.drain_grace),
      security_(std::move(security)),
      metrics_("location", {"ridestream.location.v1.LocationService"}, options.metrics_listen),
      clock_(options.clock),
      handlers_({.config = options.service,
                 .clock = *clock_,
                 .timers = timers_,
                 .on_batch = MeasureBatches(metrics_.registry())}),
      service_(handlers_, security_->authenticator(), options.service.markets),
      clock_service_(*clock_, security_->authenticator()) {
  AddReadings(metrics_.readings(), handlers_, options.service);
}

absl::Status LocationServer::Serve(rpc::ServerOptions options) {
  metrics_.AddConnections(options.connections);
  metrics_.AddSecurity(*security_);
  auto exporter = metrics_.Serve();
  if (!exporter.ok()) return exporter.status();
  exporter_ = *std::move(exporter);
  options.services = {&service_, &clock_service_};
  security_->Secure(options,
                    {"ridestream.location.v1.LocationService", "ridestream.clock.v1.ClockService"});
  options.on_drain = {[this] { handlers_.Drain(); }};
  options.call_observer = metrics_.calls();
  auto server = rpc::Server::Start(std::move(options));
  if (!server.ok()) return server.status();
  server_ = *std::move(server);
  return absl::OkStatus();
}

}  // namespace ridestream::location
