#include "services/location/location_server.h"

#include <utility>

#include "services/location/location_metrics.h"

namespace ridestream::location {
namespace {

LocationServiceOptions Measured(LocationServiceOptions options, prometheus::Registry& registry) {
  options.on_batch = MeasureBatches(registry);
  return options;
}

}  // namespace

absl::StatusOr<std::unique_ptr<LocationServer>> LocationServer::Start(Options options) {
  std::unique_ptr<LocationServer> server(new LocationServer(options));
  absl::Status status = server->Serve(std::move(options.server));
  if (!status.ok()) return status;
  return server;
}

LocationServer::LocationServer(const Options& options)
    : drain_grace_(options.drain_grace),
      metrics_("location", {"ridestream.location.v1.LocationService"}, options.metrics_listen),
      clock_(options.clock),
      authenticator_(callers_, options.max_calls_per_s),
      service_(Measured(options.service, metrics_.registry()), *clock_, authenticator_),
      clock_service_(*clock_, authenticator_) {
  AddReadings(metrics_.readings(), service_, options.service);
}

absl::Status LocationServer::Serve(rpc::ServerOptions options) {
  metrics_.AddConnections(options.connections);
  auto exporter = metrics_.Serve();
  if (!exporter.ok()) return exporter.status();
  exporter_ = *std::move(exporter);
  options.services = {&service_, &clock_service_};
  options.on_drain = {[this] { service_.Drain(); }};
  options.call_observer = metrics_.calls();
  auto server = rpc::Server::Start(std::move(options));
  if (!server.ok()) return server.status();
  server_ = *std::move(server);
  return absl::OkStatus();
}

}  // namespace ridestream::location
