#include "libs/metrics/service_metrics.h"

#include <bit>
#include <string>
#include <utility>

#include "libs/base/invariant.h"
#include "libs/metrics/process_figures.h"
#include "libs/rpc/grpc_log.h"
#include "libs/service/service.h"
#include "libs/tracing/process_tracer.h"

namespace ridestream::metrics {
namespace {

void LogBroken(const BrokenInvariant& broken) {
  // Logged at powers of two only, so that a frequently broken invariant doesn't fill the log.
  if (!std::has_single_bit(broken.times)) return;
  service::Log(service::Level::kError, "invariant_broken",
               {{"invariant", std::string(broken.name)},
                {"at", std::string(broken.file) + ":" + std::to_string(broken.line)},
                {"times", std::to_string(broken.times)}});
}

}  // namespace

ServiceMetrics::ServiceMetrics(const std::string& prefix, const std::vector<std::string>& services,
                               std::string listen)
    : prefix_(prefix),
      listen_(std::move(listen)),
      registry_(std::make_shared<prometheus::Registry>()),
      readings_(std::make_shared<Readings>()),
      calls_(*registry_, prefix, services) {
  SetInvariantHandler(LogBroken);
  AddProcessFigures(*readings_);
  readings_->AddOne(Readings::Kind::kCounter, prefix + "_invariants_broken_total",
                    "How often something was found that can't be unless the program has a bug",
                    [] { return static_cast<double>(BrokenInvariants()); });
  readings_->AddOne(Readings::Kind::kCounter, prefix + "_log_lines_dropped_total",
                    "Log lines that were dropped because they couldn't be written fast enough",
                    [] { return static_cast<double>(service::DroppedLogLines()); });
  readings_->AddOne(Readings::Kind::kCounter, prefix + "_grpc_messages_dropped_total",
                    "Log messages of gRPC that were left out because there were too many",
                    [] { return static_cast<double>(rpc::DroppedGrpcMessages()); });
  readings_->AddOne(Readings::Kind::kCounter, prefix + "_trace_spans_exported_total",
                    "Spans that the collector of traces has accepted",
                    [] { return static_cast<double>(tracing::ProcessFigures().exported); });
  readings_->AddOne(Readings::Kind::kCounter, prefix + "_trace_spans_dropped_total",
                    "Spans that were lost: too many waited, or the collector didn't accept them",
                    [] { return static_cast<double>(tracing::ProcessFigures().dropped); });
  readings_->AddOne(Readings::Kind::kGauge, prefix + "_trace_spans_waiting",
                    "Spans that wait to be exported",
                    [] { return static_cast<double>(tracing::ProcessFigures().waiting); });
  readings_->Add(Readings::Kind::kGauge, prefix + "_queue_depth",
                 "What waits in a queue, in the queue's own units", [this] {
                   std::vector<Readings::Sample> samples;
                   for (const Queue& queue : Queues()) {
                     samples.push_back({queue.labels, queue.depth()});
                   }
                   return samples;
                 });
  readings_->Add(Readings::Kind::kGauge, prefix + "_queue_bound",
                 "What may wait in a queue, in the queue's own units", [this] {
                   std::vector<Readings::Sample> samples;
                   for (const Queue& queue : Queues()) {
                     samples.push_back({queue.labels, queue.bound});
                   }
                   return samples;
                 });
}

void ServiceMetrics::AddQueue(prometheus::Labels labels, std::function<double()> depth,
                              double bound) {
  MutexLock lock(mu_);
  queues_.push_back({std::move(labels), std::move(depth), bound});
}

std::vector<ServiceMetrics::Queue> ServiceMetrics::Queues() const {
  MutexLock lock(mu_);
  return queues_;
}

void ServiceMetrics::AddConnections(std::shared_ptr<rpc::ConnectionTable> connections) {
  readings_->AddOne(Readings::Kind::kGauge, prefix_ + "_connections",
                    "Connections to the gRPC port that are open",
                    [connections] { return static_cast<double>(connections->CountOpen()); });
  readings_->AddOne(Readings::Kind::kGauge, prefix_ + "_connections_bound",
                    "Connections to the gRPC port that may be open",
                    [connections] { return static_cast<double>(connections->limits().in_all); });
  readings_->AddOne(Readings::Kind::kCounter, prefix_ + "_connections_refused_total",
                    "Connections that were closed at once because there were too many, in all or "
                    "of their address",
                    [connections] { return static_cast<double>(connections->refused()); });
}

void ServiceMetrics::AddSecurity(const rpc::Security& security, const identity::FileHealth* file) {
  readings_->AddOne(Readings::Kind::kCounter, prefix_ + "_security_file_failures_total",
                    "Times that a file of certificates, keys or revocations couldn't be used",
                    [&security, file] {
                      return static_cast<double>(security.file_failures() +
                                                 (file == nullptr ? 0 : file->failures()));
                    });
  readings_->AddOne(
      Readings::Kind::kGauge, prefix_ + "_security_files_stale",
      "1 while such a file can't be used, and its earlier content is in use", [&security, file] {
        return security.files_stale() || (file != nullptr && file->stale()) ? 1.0 : 0.0;
      });
  readings_->AddOne(Readings::Kind::kCounter, prefix_ + "_peers_refused_total",
                    "Connections that were refused for the certificate of their other end",
                    [&security] { return static_cast<double>(security.peers_refused()); });
}

absl::StatusOr<std::unique_ptr<Exporter>> ServiceMetrics::Serve() const {
  return Exporter::Start(listen_, {registry_, readings_});
}

}  // namespace ridestream::metrics
