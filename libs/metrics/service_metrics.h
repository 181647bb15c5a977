#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/base/mutex.h"
#include "libs/identity/reloaded_file.h"
#include "libs/metrics/exporter.h"
#include "libs/metrics/readings.h"
#include "libs/metrics/rpc_metrics.h"
#include "libs/rpc/connection_table.h"
#include "libs/rpc/security.h"
#include "prometheus/registry.h"

namespace ridestream::metrics {

/// The metrics of a service: of its process, calls and queues, and those that the service adds.
/// While it exists, broken invariants are counted and logged, and the process continues. Create it
/// first in main() and destroy it last; only the exporter must be destroyed before the objects that
/// it reads. Thread-safe.
class ServiceMetrics {
 public:
  /// `prefix` begins all names except those of the process ("trip"); `services` are the full names
  /// of the served gRPC services; `listen` is the value of --metrics_listen.
  ServiceMetrics(const std::string& prefix, const std::vector<std::string>& services,
                 std::string listen);

  prometheus::Registry& registry() { return *registry_; }
  Readings& readings() { return *readings_; }
  /// For rpc::ServerOptions. Null if metrics are off, so that calls aren't observed.
  rpc::CallObserver* calls() { return listen_ == "off" ? nullptr : &calls_; }

  /// Adds a queue to PREFIX_queue_depth and PREFIX_queue_bound. The labels identify it.
  void AddQueue(prometheus::Labels labels, std::function<double()> depth, double bound);

  /// Adds PREFIX_connections, PREFIX_connections_bound and PREFIX_connections_refused_total.
  void AddConnections(std::shared_ptr<rpc::ConnectionTable> connections);

  /// Adds PREFIX_security_file_failures_total, PREFIX_security_files_stale and
  /// PREFIX_peers_refused_total. The first two also count `file`, if there is one. Both arguments
  /// must outlive the exporter.
  void AddSecurity(const rpc::Security& security, const identity::FileHealth* file = nullptr);

  /// Starts serving. The exporter must be destroyed before anything that the readings read.
  absl::StatusOr<std::unique_ptr<Exporter>> Serve() const;

 private:
  struct Queue {
    prometheus::Labels labels;
    std::function<double()> depth;
    double bound;
  };
  std::vector<Queue> Queues() const;

  const std::string prefix_;
  const std::string listen_;
  const std::shared_ptr<prometheus::Registry> registry_;
  const std::shared_ptr<Readings> readings_;
  RpcMetrics calls_;
  mutable Mutex mu_;
  std::vector<Queue> queues_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ridestream::metrics
