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
    /// Where and within what limits to serve; Start adds the services and who observes them.
    rpc::ServerOptions server = {};
    /// Not null.
    std::shared_ptr<const Clock> clock = std::make_shared<ScaledClock>();
    /// How it proves who it is, and learns who calls. By default, files that must be named.
    rpc::Security::Options security = {};
    /// host:port of the metrics; port 0 takes a free one, "off" serves none.
    std::string metrics_listen = "off";
    StoreChoice store = {};
    /// The markets that are served, and their streets.
    std::map<MarketId, std::unique_ptr<roads::Streets>> streets = {};
    /// Must be valid, see ValidateTariff and ValidateTerms.
    v1::Tariff tariff = {};
    SharingTerms sharing = {};
    /// How long a quote's price is kept, by the clock.
    Duration quote_lifetime = std::chrono::minutes(5);
    /// Threads that read trips from the store, and that search ways for quotes.
    std::size_t reader_threads = 2;
    std::size_t router_threads = 2;
    /// How long Drain waits for calls under way.
    std::chrono::milliseconds drain_grace{5'000};
  };

  /// Serves once it returns. UNAVAILABLE when an address or the database can't be had,
  /// INVALID_ARGUMENT when an address isn't host:port, otherwise what opening the store returns.
  static absl::StatusOr<std::unique_ptr<TripServer>> Start(Options options);

  int port() const { return server_->port(); }
  /// host:port with the port that is served.
  std::string address() const { return server_->address(); }
  /// The same for the metrics, or "off".
  std::string metrics_address() const { return exporter_->address(); }
  /// How callers are identified, for the log.
  std::string authentication() const { return security_->authenticator().description(); }
  /// Where the trips are kept, for the log; without passwords.
  const std::string& store_place() const { return store_->place; }
  /// The sequence number of the log's last event.
  std::uint64_t log_end() const { return store_->store->LastSequence(); }
  /// Ends all streams, waits for calls under way for at most `drain_grace`, and stops. Once; the
  /// destructor stops without waiting.
  void Drain() { server_->Drain(drain_grace_); }

 private:
  TripServer(Options& options, std::unique_ptr<rpc::Security> security);
  absl::Status OpenStore(const Options& options);
  /// What other processes of the store were told; what is of an older term is left out.
  void OnShared(const v1::ReportProgressRequest& report);
  void OnShared(const v1::ReportSurgeRequest& report, Time at);
  void MakeServices(const Options& options);
  absl::Status Serve(rpc::ServerOptions options);

  const std::chrono::milliseconds drain_grace_;
  // Each is used by those below it.
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
