#include "services/gateway/gateway_server.h"

#include <utility>
#include <vector>

#include "ridestream/dispatch/v1/dispatch.pb.h"
#include "ridestream/location/v1/location.pb.h"
#include "ridestream/market/v1/market.pb.h"
#include "ridestream/trip/v1/trip.pb.h"
#include "services/gateway/call/services.h"
#include "services/gateway/gateway_metrics.h"

namespace ridestream::gateway {
namespace {

/// The services that these files declare are reached at one address.
void Connect(Services& services, const std::string& address,
             const std::shared_ptr<grpc::ChannelCredentials>& credentials,
             const std::vector<const google::protobuf::FileDescriptor*>& files, bool retried) {
  std::vector<std::string> names;
  for (const auto* file : files) {
    const std::vector<std::string> more = Services::Names(*file);
    if (retried) names.insert(names.end(), more.begin(), more.end());
  }
  const ServiceChannels channels = MakeServiceChannels(address, names, credentials);
  for (const auto* file : files) services.Add(*file, channels);
}

/// All calls of trip and location are idempotent; dispatch's one stream is mended by the driver.
Services ConnectServices(const GatewayServer::Options& options, const rpc::Security& security,
                         rpc::CallObserver* observer) {
  Services services(observer);
  Connect(services, options.trip, security.ForChannel("trip"),
          {trip::v1::Trip::descriptor()->file(), market::v1::Market::descriptor()->file()},
          /*retried=*/true);
  Connect(services, options.location, security.ForChannel("location"),
          {location::v1::NearbyDriver::descriptor()->file()},
          /*retried=*/true);
  Connect(services, options.dispatch, security.ForChannel("dispatch"),
          {dispatch::v1::DriveRequest::descriptor()->file()},
          /*retried=*/false);
  return services;
}

}  // namespace

absl::StatusOr<std::unique_ptr<GatewayServer>> GatewayServer::Start(Options options) {
  auto security = rpc::Security::Start(options.security, "gateway");
  if (!security.ok()) return security.status();
  std::unique_ptr<GatewayServer> server(new GatewayServer(options, *std::move(security)));
  if (absl::Status status = server->Serve(std::move(options)); !status.ok()) return status;
  return server;
}

GatewayServer::GatewayServer(const Options& options, std::unique_ptr<rpc::Security> security)
    : listen_(options.address),
      drain_grace_(options.drain_grace),
      security_(std::move(security)),
      metrics_("gateway",
               {"ridestream.trip.v1.TripService", "ridestream.market.v1.MarketService",
                "ridestream.location.v1.LocationService", "ridestream.dispatch.v1.DispatchService"},
               options.metrics_listen),
      http_metrics_(metrics_.registry()) {}

absl::Status GatewayServer::Serve(Options options) {
  auto gateway = Gateway::Make({.services = ConnectServices(options, *security_, metrics_.calls()),
                                .origins = std::move(options.origins),
                                .hosts = std::move(options.hosts),
                                .files = std::move(options.files),
                                .web = {.default_timeout = options.default_timeout,
                                        .max_message_bytes = options.limits.body_bytes,
                                        .hello_time = options.limits.header_time},
                                .rest = {.default_timeout = options.default_timeout}});
  if (!gateway.ok()) return gateway.status();
  gateway_ = *std::move(gateway);
  auto server = HttpServer::Start(
      {.address = listen_,
       .threads = options.threads,
       .limits = options.limits,
       .handler = [this](const std::shared_ptr<Exchange>& exchange) { gateway_->Serve(exchange); },
       .observer = &http_metrics_});
  if (!server.ok()) return server.status();
  server_ = *std::move(server);
  metrics_.AddSecurity(*security_);
  AddReadings(metrics_.readings(), *server_, options.limits);
  auto exporter = metrics_.Serve();
  if (!exporter.ok()) return exporter.status();
  exporter_ = *std::move(exporter);
  return absl::OkStatus();
}

void GatewayServer::Drain() {
  gateway_->StartDrain();
  server_->Drain(drain_grace_);
}

}  // namespace ridestream::gateway
