#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/base/clock.h"
#include "libs/base/id.h"
#include "libs/base/worker.h"
#include "libs/metrics/exporter.h"
#include "libs/metrics/service_metrics.h"
#include "libs/peer_clock/clock_service.h"
#include "libs/roads/streets.h"
#include "libs/rpc/security.h"
#include "libs/rpc/server.h"
#include "services/trip/domain/known_terms.h"
#include "services/trip/domain/promise.h"
#include "services/trip/domain/surge_table.h"
#include "services/trip/handlers/trip_feed.h"
#include "services/trip/handlers/trip_handlers.h"
#include "services/trip/rpc/trip_service.h"
#include "services/trip/store_choice.h"
#include "services/trip/streets/market_service.h"
#include "services/trip/streets/streets_router.h"
#include "services/trip/trip_metrics.h"

namespace ridestream::trip {

/// The trip service as one object: the store, the markets' streets, the gRPC server and its metrics
/// port. Thread-safe.
class TripServer {
 public:
  struct Options {
    /// Address and limits of the gRPC server. Start adds the services and their observers.
    rpc::ServerOptions server = {};
    /// Not null.
    std::shared_ptr<const Clock> clock = std::make_shared<ScaledClock>();
    /// Credentials of this service, and how callers are authenticated. The default requires the
    /// paths of certificate files.
    rpc::Security::Options security = {};
    /// host:port of the metrics endpoint. Port 0 takes a free port, "off" serves no metrics.
    std::string metrics_listen = "off";
    StoreChoice store = {};
    /// The served markets and their street maps.
    std::map<MarketId, std::unique_ptr<roads::Streets>> streets = {};
    /// Must be valid, see ValidateTariff and ValidateTerms.
    v1::Tariff tariff = {};
    SharingTerms sharing = {};
    /// How long a quote's price is valid, in city time.
    Duration quote_lifetime = std::chrono::minutes(5);
    /// Number of threads that read trips from the store, and that compute routes for quotes.
    std::size_t reader_threads = 2;
    std::size_t router_threads = 2;
    /// How long Drain waits for calls in progress.
    std::chrono::milliseconds drain_grace{5'000};
  };

  /// The service accepts calls when this returns. UNAVAILABLE if an address can't be bound or the
  /// database can't be reached, INVALID_ARGUMENT if an address isn't host:port, and the errors of
  /// opening the store.
  static absl::StatusOr<std::unique_ptr<TripServer>> Start(Options options);

  int port() const { return server_->port(); }
  /// host:port of the gRPC server, with the actual port.
  std::string address() const { return server_->address(); }
  /// host:port of the metrics endpoint, with the actual port, or "off".
  std::string metrics_address() const { return exporter_->address(); }
  /// How callers are authenticated, as text for the log.
  std::string authentication() const { return security_->authenticator().description(); }
  /// Where trips are stored, as text for the log. Contains no password.
  const std::string& store_place() const { return store_->place; }
  /// The sequence number of the log's last event.
  std::uint64_t log_end() const { return store_->store->LastSequence(); }
  /// Ends all streams, waits up to `drain_grace` for calls in progress, and stops. Call at most
  /// once. The destructor stops without waiting.
  void Drain() { server_->Drain(drain_grace_); }

 private:
  TripServer(Options& options, std::unique_ptr<rpc::Security> security);
  absl::Status OpenStore(const Options& options);
  /// Takes reports that other processes of the store received. Reports of an older term are
  /// ignored.
  void OnShared(const v1::ReportProgressRequest& report);
  void OnShared(const v1::ReportSurgeRequest& report, Time at);
  void MakeServices(const Options& options);
  absl::Status Serve(rpc::ServerOptions options);

  const std::chrono::milliseconds drain_grace_;
  // Members are used by those declared below them.
  const std::unique_ptr<rpc::Security> security_;
  metrics::ServiceMetrics metrics_;
  StoreMeter meter_;
  const std::shared_ptr<const Clock> clock_;
  std::map<std::string, std::unique_ptr<StreetsRouter>> routers_;
  TripFeed feed_;
  SurgeTable surge_;
  KnownTerms terms_;
  std::optional<ChosenStore> store_;  // Set before the services are made.
  ThreadExecutor executor_;
  std::unique_ptr<TripHandlers> handlers_;
  std::unique_ptr<TripService> service_;
  std::unique_ptr<MarketService> market_service_;
  std::unique_ptr<ClockService> clock_service_;
  std::unique_ptr<metrics::Exporter> exporter_;
  std::unique_ptr<rpc::Server> server_;
};

}  // namespace ridestream::trip
