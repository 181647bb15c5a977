#include "services/trip/trip_server.h"

#include <utility>

#include "libs/service/markets.h"
#include "libs/service/service.h"
#include "services/trip/event_lines.h"
#include "services/trip/handlers/request_checks.h"

namespace ridestream::trip {
namespace {

using Routers = std::map<std::string, std::unique_ptr<StreetsRouter>>;

std::map<std::string, const roads::Streets*> StreetsOf(const Routers& routers) {
  std::map<std::string, const roads::Streets*> markets;
  for (const auto& [name, router] : routers) markets.emplace(name, &router->streets());
  return markets;
}

std::map<std::string, const QuoteRouter*> MarketsOf(const Routers& routers) {
  std::map<std::string, const QuoteRouter*> markets;
  for (const auto& [name, router] : routers) markets.emplace(name, router.get());
  return markets;
}

}  // namespace

absl::StatusOr<std::unique_ptr<TripServer>> TripServer::Start(Options options) {
  auto security = rpc::Security::Start(options.security, "trip");
  if (!security.ok()) return security.status();
  std::unique_ptr<TripServer> server(new TripServer(options, *std::move(security)));
  if (absl::Status status = server->OpenStore(options); !status.ok()) return status;
  server->MakeServices(options);
  if (absl::Status status = server->Serve(std::move(options.server)); !status.ok()) return status;
  return server;
}

TripServer::TripServer(Options& options, std::unique_ptr<rpc::Security> security)
    : drain_grace_(options.drain_grace),
      security_(std::move(security)),
      metrics_("trip", {"ridestream.trip.v1.TripService", "ridestream.market.v1.MarketService"},
               options.metrics_listen),
      meter_(metrics_.registry()),
      clock_(options.clock) {
  for (auto& [market, streets] : options.streets) {
    routers_.emplace(market.str(), std::make_unique<StreetsRouter>(std::move(streets)));
  }
}

absl::Status TripServer::OpenStore(const Options& options) {
  auto store = trip::OpenStore(
      options.store, *clock_,
      // The pools' threads both read, so that none waits for a connection.
      options.reader_threads + options.router_threads,
      {.on_events = [this](const std::vector<EventPtr>& events) { feed_.Publish(events); },
       .on_written =
           [this](const std::vector<EventPtr>& events) {
             meter_.Logged(events);
             for (const EventPtr& event : events) LogEvent(*event);
           },
       .on_commit = [this](size_t commands, auto took) { meter_.Committed(commands, took); },
       .on_failure =
           [this](const absl::Status& status, size_t commands) {
             meter_.Failed(commands);
             service::Log(service::Level::kError,
                          commands > 0 ? "commit failed" : "other processes can't be followed",
                          {{"error", status.ToString()}, {"commands", std::to_string(commands)}});
           },
       .on_progress = [this](const v1::ReportProgressRequest& report) { OnShared(report); },
       .on_surge = [this](const v1::ReportSurgeRequest& report, Time at) { OnShared(report, at); }},
      metrics_);
  if (!store.ok()) return store.status();
  store_.emplace(*std::move(store));
  return absl::OkStatus();
}

void TripServer::OnShared(const v1::ReportProgressRequest& report) {
  if (!CheckReport(report).ok()) return;
  v1::ReportProgressRequest current;
  for (const v1::TripProgress& entry : report.trips()) {
    if (terms_.Accept(entry.market(), entry.term()).ok()) *current.add_trips() = entry;
  }
  feed_.Report(current);
}

void TripServer::OnShared(const v1::ReportSurgeRequest& report, Time at) {
  if (terms_.Accept(report.market(), report.term()).ok()) surge_.Replace(report, at);
}

void TripServer::MakeServices(const Options& options) {
  handlers_ = std::make_unique<TripHandlers>(
      TripHandlers::Options{.store = *store_->store,
                            .feed = feed_,
                            .surge = surge_,
                            .terms = terms_,
                            .exchange = store_->exchange.get(),
                            .clock = *clock_,
                            .executor = executor_,
                            .markets = MarketsOf(routers_),
                            .tariff = options.tariff,
                            .sharing = options.sharing,
                            .quote_lifetime = options.quote_lifetime,
                            .reader_threads = options.reader_threads,
                            .router_threads = options.router_threads});
  service_ = std::make_unique<TripService>(*handlers_, security_->authenticator(),
                                           service::ServedMarkets::KeysOf(routers_));
  market_service_ =
      std::make_unique<MarketService>(*clock_, security_->authenticator(), StreetsOf(routers_));
  clock_service_ = std::make_unique<ClockService>(*clock_, security_->authenticator());
  AddReadings(metrics_, *store_->store, *handlers_);
  AddStreetReadings(metrics_, StreetsOf(routers_));
}

absl::Status TripServer::Serve(rpc::ServerOptions options) {
  metrics_.AddConnections(options.connections);
  metrics_.AddSecurity(*security_);
  auto exporter = metrics_.Serve();
  if (!exporter.ok()) return exporter.status();
  exporter_ = *std::move(exporter);
  options.services = {service_.get(), market_service_.get(), clock_service_.get()};
  security_->Secure(options,
                    {"ridestream.trip.v1.TripService", "ridestream.market.v1.MarketService",
                     "ridestream.clock.v1.ClockService"});
  options.on_drain = {[this] { feed_.Close(); }};
  options.call_observer = metrics_.calls();
  auto server = rpc::Server::Start(std::move(options));
  if (!server.ok()) return server.status();
  server_ = *std::move(server);
  server_->SetServing(true);
  return absl::OkStatus();
}

}  // namespace ridestream::trip
