#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/base/clock.h"
#include "libs/base/mutex.h"
#include "libs/base/timer_queue.h"
#include "libs/base/worker.h"
#include "libs/metrics/exporter.h"
#include "libs/metrics/service_metrics.h"
#include "libs/rpc/security.h"
#include "libs/rpc/server.h"
#include "ridestream/trip/v1/trip.grpc.pb.h"
#include "services/exporter/domain/event_queue.h"
#include "services/exporter/domain/exporter.h"
#include "services/exporter/kafka/kafka_topic.h"
#include "services/exporter/position_flow.h"
#include "services/exporter/rpc/trip_log.h"

namespace ridestream::exporter {

/// The exporter as one object: the follower of the trip log, the topic, the thread between them,
/// and a gRPC server for health checks, which is SERVING while trip's log is followed and events
/// can be written. Thread-safe.
class ExporterServer {
 public:
  struct Options {
    std::vector<std::string> markets;
    /// Address of the trip service.
    std::string trip;
    KafkaTopic::Options topic;
    /// nullopt: positions aren't exported.
    std::optional<PositionFlow::Options> positions;
    /// The process ends if events can't be written for this long.
    std::chrono::nanoseconds give_up_after = std::chrono::minutes(5);
    /// Called once, when health is SERVING for the first time, on a thread of the server.
    std::function<void(const ExporterServer&)> on_ready = [](const ExporterServer&) {};
    rpc::ServerOptions server = {};
    /// Not null.
    std::shared_ptr<const Clock> clock = std::make_shared<ScaledClock>();
    rpc::Security::Options security = {};
    /// host:port of the metrics endpoint. Port 0 takes a free port, "off" serves no metrics.
    std::string metrics_listen = "off";
    /// How long Drain waits for calls in progress.
    std::chrono::milliseconds drain_grace{5'000};
  };

  /// The export runs when this returns. UNAVAILABLE if an address can't be bound, INVALID_ARGUMENT
  /// if one isn't host:port or a market has no address.
  static absl::StatusOr<std::unique_ptr<ExporterServer>> Start(Options options);
  ~ExporterServer();

  /// host:port of the gRPC server, with the actual port.
  std::string address() const { return server_->address(); }
  /// host:port of the metrics endpoint, with the actual port, or "off".
  std::string metrics_address() const { return metrics_exporter_->address(); }
  /// How callers are authenticated, as text for the log.
  std::string authentication() const { return security_->authenticator().description(); }
  /// Sequence of the last event that is known to be in the topic.
  std::uint64_t position() const { return exporter_.counts().position; }
  /// Stops the export, waits up to `drain_grace` for calls in progress, and stops. Call at most
  /// once.
  void Drain();

 private:
  ExporterServer(Options& options, std::unique_ptr<rpc::Security> security);
  absl::Status Serve(Options options);
  /// The topic was opened, or has to be opened again for this reason.
  void OnTopicChange(const absl::Status& status);
  void UpdateReadiness();

  const std::chrono::milliseconds drain_grace_;
  // Members are used by those declared below them.
  const std::unique_ptr<rpc::Security> security_;
  metrics::ServiceMetrics metrics_;
  const std::shared_ptr<const Clock> clock_;
  TimerQueue timers_;
  const std::unique_ptr<trip::v1::TripService::Stub> trip_;
  EventQueue queue_;
  TripLog log_;
  std::unique_ptr<PositionFlow> positions_;
  KafkaTopic topic_;
  std::unique_ptr<rpc::Server> server_;
  bool is_interrupted_ = false;  // The export's thread's.
  Exporter exporter_;
  Mutex readiness_;  // Keeps the order of changes.
  std::function<void(const ExporterServer&)> on_ready_ ABSL_GUARDED_BY(readiness_);  // Used once.
  std::unique_ptr<metrics::Exporter> metrics_exporter_;
  ThreadExecutor executor_;
  std::unique_ptr<Worker> worker_;
};

}  // namespace ridestream::exporter
