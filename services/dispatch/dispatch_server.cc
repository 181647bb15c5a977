#include "services/dispatch/dispatch_server.h"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>

#include "libs/base/host_port.h"
#include "libs/base/invariant.h"
#include "libs/roads/engine/prepared_file.h"
#include "libs/rpc/caller.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/elsewhere.h"
#include "libs/rpc/retry_after.h"
#include "services/dispatch/dispatch_metrics.h"
#include "services/dispatch/record/event_recorder.h"
#include "services/dispatch/record/record_codec.h"
#include "services/dispatch/rpc/drive_call.h"
#include "services/dispatch/rpc/market_ports.h"
#include "services/dispatch/rpc/trip_client.h"

namespace ridestream::dispatch {
namespace {

constexpr std::chrono::milliseconds kTryAgainAfter{500};

const rpc::Caller kSelf{rpc::CallerKind::kService, "dispatch"};

std::shared_ptr<grpc::Channel> Connect(const rpc::Security& security, const std::string& address,
                                       const std::string& peer, const std::string& service) {
  return rpc::MakeChannel(address, {.retried_services = {service},
                                    .keepalive = rpc::kInnerKeepalive,
                                    .credentials = security.ForChannel(peer)});
}

RegistryConfig MakeRegistryConfig(const DispatchServer::Options& options, const Clock& clock) {
  RegistryConfig config = options.sessions;
  config.session.clock_rate = clock.rate();
  config.markets = service::ServedMarkets::KeysOf(options.streets);
  return config;
}

/// A market for the metadata of calls about clocks, which a proxy may route. Any served market will
/// do.
std::string SomeMarket(const DispatchServer::Options& options) {
  return options.streets.empty() ? "" : options.streets.begin()->first.str();
}

}  // namespace

absl::StatusOr<std::unique_ptr<DispatchServer>> DispatchServer::Start(Options options) {
  auto security = rpc::Security::Start(options.security, "dispatch");
  if (!security.ok()) return security.status();
  std::unique_ptr<DispatchServer> server(new DispatchServer(options, *std::move(security)));
  if (absl::Status status = server->AddMarkets(options); !status.ok()) return status;
  if (absl::Status status = server->Serve(std::move(options.server)); !status.ok()) return status;
  server->Begin();
  return server;
}

DispatchServer::DispatchServer(Options& options, std::unique_ptr<rpc::Security> security)
    : drain_grace_(options.drain_grace),
      advertise_(std::move(options.advertise)),
      on_ready_(std::move(options.on_ready)),
      on_standby_(std::move(options.on_standby)),
      on_lease_lost_(std::move(options.on_lease_lost)),
      security_(std::move(security)),
      metrics_("dispatch", {"ridestream.dispatch.v1.DispatchService"}, options.metrics_listen),
      clock_(std::move(options.clock)),
      trip_channel_(Connect(*security_, options.trip, "trip", "ridestream.trip.v1.TripService")),
      location_channel_(Connect(*security_, options.location, "location",
                                "ridestream.location.v1.LocationService")),
      trip_(trip::v1::TripService::NewStub(trip_channel_)),
      location_(location::v1::LocationService::NewStub(location_channel_)),
      trip_clock_(
          *clock_, timers_, clock::v1::ClockService::NewStub(trip_channel_),
          {.peer = "trip", .address = options.trip, .self = kSelf, .market = SomeMarket(options)}),
      location_clock_(*clock_, timers_, clock::v1::ClockService::NewStub(location_channel_),
                      {.peer = "location",
                       .address = options.location,
                       .self = kSelf,
                       .market = SomeMarket(options)}),
      progress_(timers_, ProgressStreams(*trip_)),
      sessions_(MakeRegistryConfig(options, *clock_), *clock_, timers_,
                [this](const MarketId& market) { return PortsOf(market); }),
      service_(sessions_, security_->authenticator(), metrics_.calls()) {
  AddSessionReadings(metrics_, sessions_, options.sessions.max_sessions);
  AddClockReadings(metrics_, {{"trip", &trip_clock_}, {"location", &location_clock_}});
}

DispatchServer::~DispatchServer() { Stop(std::chrono::milliseconds::zero()); }

void DispatchServer::Drain() { Stop(drain_grace_); }

void DispatchServer::Stop(std::chrono::milliseconds grace) {
  trip_clock_.Stop();
  location_clock_.Stop();
  if (server_ != nullptr) server_->Drain(grace);
  for (auto& [id, market] : markets_) market->Stop();
  // None of this process's commands is in progress any more.
  for (auto& [id, lease] : leases_) lease->Release();
  lease_ports_.clear();
}

absl::Status DispatchServer::LockRecords(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    return absl::UnavailableError(fmt::format("--record={}: {}", folder, error.message()));
  }
  absl::StatusOr<FolderLock> lock = FolderLock::Acquire(folder);
  if (!lock.ok()) return lock.status();
  record_lock_.emplace(*std::move(lock));
  return absl::OkStatus();
}

absl::Status DispatchServer::OpenRecord(const Options& options, const MarketConfig& config,
                                        const roads::Streets& streets) {
  record::Header header;
  header.set_market(config.market.str());
  *header.mutable_settings() = Encode(config);
  header.set_roads_fingerprint(roads::Fingerprint(streets.graph()));
  header.set_roads(streets.description());
  auto file = RecordFile::Create(options.record, std::move(header), options.record_limit_bytes);
  if (!file.ok()) return file.status();
  records_[config.market] =
      std::make_unique<RecordQueue>(config.market.str(), *std::move(file), executor_);
  return absl::OkStatus();
}

absl::Status DispatchServer::AddMarkets(Options& options) {
  const std::string process = fmt::format("dispatch-{}", sessions_.FreshSessionId());
  if (!options.record.empty()) {
    if (absl::Status status = LockRecords(options.record); !status.ok()) return status;
  }
  for (auto& [id, streets] : options.streets) {
    MarketConfig config = options.market;
    config.market = id;
    config.offer_id_prefix = fmt::format("o-{}-", sessions_.FreshSessionId());
    if (!options.record.empty()) {
      if (absl::Status status = OpenRecord(options, config, *streets); !status.ok()) return status;
    }
    auto& port = lease_ports_[id] = std::make_unique<TripClient>(*trip_, id.str());
    auto& lease = leases_[id] = std::make_unique<LeaseKeeper>(
        LeaseKeeper::Options{.market = id.str(),
                             .holder = process,
                             .trip = *port,
                             .timers = timers_,
                             .lasts = options.lease,
                             // Called after Start.
                             .on_held = [&market = markets_[id]](const auto&) { market->Lead(); },
                             .on_lost = [this](const auto& taken) { LoseLease(taken); },
                             .on_standby =
                                 [this](const auto& held) {
                                   if (held.address() != OwnAddress()) on_standby_(*this, held);
                                 }});
    MarketRunner::Ports ports =
        MakeMarketPorts(id.str(), *trip_, *location_, metrics_.registry(), *clock_,
                        options.update_speeds_every, std::move(streets));
    if (const auto record = records_.find(id); record != records_.end()) {
      auto recorder = std::make_unique<EventRecorder>(
          std::move(ports.observer),
          [&queue = *record->second](std::string batch, std::uint64_t events) {
            return queue.Offer(std::move(batch), events);
          });
      config.matching_deadline = recorder->Watch(std::move(config.matching_deadline));
      ports.observer = std::move(recorder);
    }
    markets_[id] = std::make_unique<MarketRunner>(
        MarketRunner::Config{.market = config, .planner = options.planner, .trip = options.trip},
        std::move(ports),
        MarketRunner::Dependencies{*clock_, timers_, executor_,
                                   [this] { return trip_clock_.to_ours(); }, *lease, sessions_,
                                   progress_});
  }
  AddMarketReadings(metrics_, markets_);
  AddRecordReadings(metrics_, markets_, records_);
  AddLeaseReadings(metrics_, leases_);
  return absl::OkStatus();
}

absl::Status DispatchServer::Serve(rpc::ServerOptions options) {
  metrics_.AddConnections(options.connections);
  metrics_.AddSecurity(*security_);
  auto exporter = metrics_.Serve();
  if (!exporter.ok()) return exporter.status();
  exporter_ = *std::move(exporter);
  options.services = {&service_};
  for (const auto& [id, market] : markets_) options.health_parts.insert(id.str());
  security_->Secure(options, {"ridestream.dispatch.v1.DispatchService"});
  options.on_drain = {[this] {
    std::string moved_to;
    {
      MutexLock lock(readiness_);
      if (lost_lease_) moved_to = lost_lease_->address();
    }
    sessions_.Drain(moved_to);
  }};
  options.call_observer = metrics_.calls();
  options.observed_by_service = {kDriveMethod};
  auto server = rpc::Server::Start(std::move(options));
  if (!server.ok()) return server.status();
  server_ = *std::move(server);
  server_->SetServing(false);
  return absl::OkStatus();
}

/// The error for drivers while another process leads the market.
absl::Status DispatchServer::NotHeld(const MarketId& market, const trip::v1::Lease& lease) const {
  // Before the trip service has answered, or until the lease of an earlier run of this process has
  // ended.
  const bool is_own = !lease.address().empty() && lease.address() == OwnAddress();
  const bool is_beginning = lease.holder().empty() || is_own;
  if (is_beginning) {
    return rpc::WithRetryAfter(
        absl::UnavailableError(fmt::format("'{}' is not served here yet", market)), kTryAgainAfter);
  }
  if (lease.address().empty()) {
    return rpc::WithRetryAfter(
        absl::FailedPreconditionError(fmt::format("'{}' is served elsewhere", market)),
        kTryAgainAfter);
  }
  return rpc::WithAddress(rpc::WithRetryAfter(absl::FailedPreconditionError(fmt::format(
                                                  "'{}' is served at {}", market, lease.address())),
                                              kTryAgainAfter),
                          lease.address());
}

std::string DispatchServer::OwnAddress() const {
  if (!advertise_.empty()) return advertise_;
  // A wildcard address isn't an address that a driver can connect to.
  const auto listens_on = ParseHostPort(address());
  const bool is_wildcard =
      listens_on.ok() && (listens_on->host == "0.0.0.0" || listens_on->host == "::");
  return is_wildcard ? "" : address();
}

absl::StatusOr<SessionRegistry::MarketPorts> DispatchServer::PortsOf(const MarketId& market) {
  const auto found = markets_.find(market);
  if (found == markets_.end()) {
    return absl::NotFoundError(fmt::format("'{}' is not served here", market));
  }
  const auto lease = leases_.find(market);
  if (!RIDESTREAM_INVARIANT(lease != leases_.end(), "a market that is served has a lease")) {
    return absl::InternalError(fmt::format("'{}' has no lease", market));
  }
  if (!lease->second->held()) return NotHeld(market, lease->second->last_lease());
  MarketRunner& runner = *found->second;
  return SessionRegistry::MarketPorts{&runner, &runner.positions(), &runner.offer_times(),
                                      &runner.area(), runner.acks()};
}

void DispatchServer::Begin() {
  trip_clock_.Start([this, started = false]() mutable {
    UpdateReadiness();
    if (!std::exchange(started, true)) BeginMarkets();
  });
  location_clock_.Start([this] { UpdateReadiness(); });
}

void DispatchServer::BeginMarkets() {
  for (auto& [id, market] : markets_) {
    market->Start([this, &id = id] {
      {
        MutexLock lock(readiness_);
        if (!led_.insert(id).second) return;
      }
      UpdateReadiness();
    });
  }
  for (auto& [id, lease] : leases_) lease->Start(OwnAddress());
}

void DispatchServer::LoseLease(const trip::v1::Lease& lease) {
  {
    MutexLock lock(readiness_);
    if (lost_lease_) return;
    lost_lease_ = lease;
  }
  UpdateReadiness();
  on_lease_lost_();
}

absl::Status DispatchServer::lease_status() const {
  MutexLock lock(readiness_);
  if (!lost_lease_) return absl::OkStatus();
  return absl::AbortedError(
      fmt::format("another process took over the lease of '{}'", lost_lease_->market()));
}

void DispatchServer::UpdateReadiness() {
  MutexLock lock(readiness_);
  const bool can_serve = !lost_lease_ && trip_clock_.verdict() != ClockVerdict::kUnusable &&
                         location_clock_.verdict() != ClockVerdict::kUnusable;
  for (const MarketId& market : led_) server_->SetServing(market.str(), can_serve);
  const bool ready = can_serve && !led_.empty();
  server_->SetServing(ready);
  if (ready && !std::exchange(announced_, true)) on_ready_(*this);
}

}  // namespace ridestream::dispatch
