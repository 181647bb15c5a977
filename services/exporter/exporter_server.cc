#include "services/exporter/exporter_server.h"

#include <utility>

#include "libs/rpc/channel.h"
#include "libs/service/service.h"
#include "services/exporter/exporter_metrics.h"

namespace ridestream::exporter {

absl::StatusOr<std::unique_ptr<ExporterServer>> ExporterServer::Start(Options options) {
  auto security = rpc::Security::Start(options.security, "exporter");
  if (!security.ok()) return security.status();
  std::unique_ptr<ExporterServer> server(new ExporterServer(options, *std::move(security)));
  absl::Status status = server->Serve(std::move(options));
  if (!status.ok()) return status;
  return server;
}

ExporterServer::ExporterServer(Options& options, std::unique_ptr<rpc::Security> security)
    : drain_grace_(options.drain_grace),
      security_(std::move(security)),
      metrics_("exporter", {}, options.metrics_listen),
      clock_(options.clock),
      trip_(trip::v1::TripService::NewStub(rpc::MakeChannel(
          options.trip,
          {.keepalive = rpc::kInnerKeepalive, .credentials = security_->ForChannel("trip")}))),
      log_({.markets = options.markets,
            .address = options.trip,
            .on_change = [this] { UpdateReadiness(); }},
           *trip_, timers_, queue_),
      topic_(std::move(options.topic)),
      exporter_({.markets = options.markets,
                 .give_up_after = options.give_up_after,
                 .on_change = [this](const absl::Status& status) { OnTopicChange(status); }},
                topic_, log_, queue_),
      on_ready_(std::move(options.on_ready)) {}

ExporterServer::~ExporterServer() {
  // Both call back.
  worker_.reset();
  log_.Stop();
}

absl::Status ExporterServer::Serve(Options options) {
  if (options.positions) {
    auto positions =
        PositionFlow::Start(*std::move(options.positions), *security_, timers_, *clock_);
    if (!positions.ok()) return positions.status();
    positions_ = *std::move(positions);
  }
  metrics_.AddConnections(options.server.connections);
  metrics_.AddSecurity(*security_);
  AddReadings(metrics_, exporter_, log_, queue_, *clock_);
  AddReadings(metrics_, positions_.get());
  auto metrics_exporter = metrics_.Serve();
  if (!metrics_exporter.ok()) return metrics_exporter.status();
  metrics_exporter_ = *std::move(metrics_exporter);
  security_->Secure(options.server, {});
  auto server = rpc::Server::Start(std::move(options.server));
  if (!server.ok()) return server.status();
  server_ = *std::move(server);
  server_->SetServing(false);
  worker_ = executor_.Start([this]() -> std::optional<std::chrono::nanoseconds> {
    const auto pause = exporter_.Step(std::chrono::steady_clock::now());
    // The next process continues where this one stopped.
    if (!pause.ok()) service::EndProcess("failed", {{"error", pause.status().ToString()}});
    return *pause;
  });
  return absl::OkStatus();
}

void ExporterServer::OnTopicChange(const absl::Status& status) {
  if (!status.ok()) {
    service::Log(service::Level::kWarning, "export_interrupted", {{"error", status.ToString()}});
  } else if (is_interrupted_) {
    service::Log(service::Level::kInfo, "export_resumed");
  }
  is_interrupted_ = !status.ok();
  UpdateReadiness();
}

void ExporterServer::UpdateReadiness() {
  MutexLock lock(readiness_);
  const bool is_ready = exporter_.counts().is_open && log_.is_following();
  server_->SetServing(is_ready);
  if (is_ready && on_ready_) std::exchange(on_ready_, nullptr)(*this);
}

void ExporterServer::Drain() {
  worker_.reset();
  log_.Stop();
  server_->Drain(drain_grace_);
}

}  // namespace ridestream::exporter
