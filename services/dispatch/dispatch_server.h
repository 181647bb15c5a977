#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/base/clock.h"
#include "libs/base/folder_lock.h"
#include "libs/base/mutex.h"
#include "libs/base/timer_queue.h"
#include "libs/base/worker.h"
#include "libs/metrics/exporter.h"
#include "libs/metrics/service_metrics.h"
#include "libs/peer_clock/peer_clock.h"
#include "libs/roads/streets.h"
#include "libs/rpc/security.h"
#include "libs/rpc/server.h"
#include "ridestream/location/v1/location.grpc.pb.h"
#include "ridestream/trip/v1/trip.grpc.pb.h"
#include "services/dispatch/drive/session_registry.h"
#include "services/dispatch/record/record_queue.h"
#include "services/dispatch/rpc/dispatch_service.h"
#include "services/dispatch/runner/lease_keeper.h"
#include "services/dispatch/runner/lease_port.h"
#include "services/dispatch/runner/market_runner.h"
#include "services/dispatch/runner/progress_reporter.h"

namespace ridestream::dispatch {

/// The dispatch service as one object: the drivers' sessions, a runner for each market, the
/// channels to the trip and location services, the gRPC server and its metrics endpoint.
/// Thread-safe.
///
/// The health of a market, by its name, is SERVING while this process holds the market's lease,
/// knows its open trips, and can use the clocks of trip and location. The health of the process as
/// a whole is SERVING while that of one of its markets is.
class DispatchServer {
 public:
  struct Options {
    /// Address and limits of the gRPC server. Start adds the services and their observers.
    rpc::ServerOptions server = {};
    /// Not null.
    std::shared_ptr<const Clock> clock = std::make_shared<ScaledClock>();
    /// How the server proves its identity and identifies callers. By default, files that must be
    /// named.
    rpc::Security::Options security = {};
    /// host:port of the metrics endpoint. Port 0 takes a free port, "off" serves no metrics.
    std::string metrics_listen = "off";
    /// Addresses of the services that dispatch calls; they may start later.
    std::string trip = "127.0.0.1:7001";
    std::string location = "127.0.0.1:7002";
    /// Start sets `session.clock_rate`.
    RegistryConfig sessions = {};
    /// Settings common to all markets. Start sets `market` and `offer_id_prefix` for each.
    MarketConfig market = {};
    PlannerConfig planner = {};
    /// Interval, on `clock`, at which the streets' travel times are updated from the cars' speeds.
    /// 0: never.
    Duration update_speeds_every = Duration::zero();
    /// The served markets and their street maps.
    std::map<MarketId, std::unique_ptr<roads::Streets>> streets = {};
    /// Called once, when health is SERVING for the first time, on a thread of the server, perhaps
    /// before Start returns.
    std::function<void(const DispatchServer&)> on_ready = [](const DispatchServer&) {};
    /// The address to which other processes send this one's drivers. Empty: the served address.
    std::string advertise = {};
    /// How long a market's lease lasts unless it is renewed: 100 ms to 60 s of wall-clock time.
    std::chrono::milliseconds lease{2'000};
    /// Called when a process at another address holds a market's lease, so that this one is on
    /// standby. Called once for each market, on a thread of the server.
    std::function<void(const DispatchServer&, const trip::v1::Lease&)> on_standby =
        [](const DispatchServer&, const trip::v1::Lease&) {};
    /// Called once, when another process has acquired the lease of a market that this one held. Its
    /// decisions are refused from now on: drain and restart it. Called on a thread of the server.
    std::function<void()> on_lease_lost = [] {};
    /// Folder for a record of what each market handles (see docs/replay.md); empty records nothing.
    std::string record = {};
    /// Bound of each market's records in the folder, in bytes.
    std::uint64_t record_limit_bytes = std::uint64_t{1} << 30;
    /// How long Drain waits for calls in progress.
    std::chrono::milliseconds drain_grace{5'000};
  };

  /// Takes calls once it returns. UNAVAILABLE when an address can't be had or a record can't be
  /// written, FAILED_PRECONDITION when another process records in the folder, INVALID_ARGUMENT when
  /// an address isn't host:port.
  static absl::StatusOr<std::unique_ptr<DispatchServer>> Start(Options options);
  /// Stops without waiting for calls in progress unless Drain was called.
  ~DispatchServer();

  int port() const { return server_->port(); }
  /// host:port of the gRPC server, with the actual port.
  std::string address() const { return server_->address(); }
  /// host:port of the metrics endpoint, with the actual port, or "off".
  std::string metrics_address() const { return exporter_->address(); }
  /// How callers are authenticated, as text for the log.
  std::string authentication() const { return security_->authenticator().description(); }
  /// ABORTED once another process has acquired the lease of a market that this one held. It doesn't
  /// become OK again.
  absl::Status lease_status() const;
  /// Ends all streams, waits up to `drain_grace` for calls in progress, stops the markets, and
  /// releases the leases. Call at most once.
  void Drain();

 private:
  DispatchServer(Options& options, std::unique_ptr<rpc::Security> security);
  absl::Status AddMarkets(Options& options);
  /// Takes the folder of the records for this process alone: the limit of its size removes the
  /// oldest records, which another process may still be writing.
  absl::Status LockRecords(const std::string& folder);
  absl::Status OpenRecord(const Options& options, const MarketConfig& config,
                          const roads::Streets& streets);
  absl::Status Serve(rpc::ServerOptions options);
  void Stop(std::chrono::milliseconds grace);
  std::string OwnAddress() const;
  absl::Status NotHeld(const MarketId& market, const trip::v1::Lease& lease) const;
  absl::StatusOr<SessionRegistry::MarketPorts> PortsOf(const MarketId& market);
  /// Starts the markets once the trip service's clock, in which the log's records are written, is
  /// known.
  void Begin();
  void BeginMarkets();
  void UpdateReadiness();
  void LoseLease(const trip::v1::Lease& lease);

  const std::chrono::milliseconds drain_grace_;
  const std::string advertise_;
  const std::function<void(const DispatchServer&)> on_ready_;
  const std::function<void(const DispatchServer&, const trip::v1::Lease&)> on_standby_;
  const std::function<void()> on_lease_lost_;
  // Members are used by those declared below them.
  const std::unique_ptr<rpc::Security> security_;
  metrics::ServiceMetrics metrics_;
  const std::shared_ptr<const Clock> clock_;
  TimerQueue timers_;
  ThreadExecutor executor_;
  const std::shared_ptr<grpc::Channel> trip_channel_;
  const std::shared_ptr<grpc::Channel> location_channel_;
  const std::unique_ptr<trip::v1::TripService::StubInterface> trip_;
  const std::unique_ptr<location::v1::LocationService::StubInterface> location_;
  PeerClock trip_clock_;
  PeerClock location_clock_;
  ProgressReporter progress_;
  // One keeper for each market; filled before Serve. A keeper's calls end with its port.
  std::map<MarketId, std::unique_ptr<LeaseKeeper>> leases_;
  std::map<MarketId, std::unique_ptr<LeasePort>> lease_ports_;
  std::optional<FolderLock> record_lock_;                     // Empty if nothing is recorded.
  std::map<MarketId, std::unique_ptr<RecordQueue>> records_;  // Empty if nothing is recorded.
  std::map<MarketId, std::unique_ptr<MarketRunner>> markets_;
  SessionRegistry sessions_;
  DispatchService service_;
  std::unique_ptr<metrics::Exporter> exporter_;
  std::unique_ptr<rpc::Server> server_;

  mutable Mutex readiness_;  // Keeps the order of changes.
  /// Markets whose lease this process holds or held, and whose open trips it knows.
  std::set<MarketId> led_ ABSL_GUARDED_BY(readiness_);
  /// The first market that was taken over by another process.
  std::optional<trip::v1::Lease> lost_lease_ ABSL_GUARDED_BY(readiness_);
  bool announced_ ABSL_GUARDED_BY(readiness_) = false;
};

}  // namespace ridestream::dispatch
