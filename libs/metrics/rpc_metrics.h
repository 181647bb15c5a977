#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "libs/base/mutex.h"
#include "libs/metrics/exemplars.h"
#include "libs/rpc/call_observer.h"
#include "prometheus/registry.h"

namespace ridestream::metrics {

/// Rates, errors and latencies of a server's calls, by method and code:
///   PREFIX_rpc_calls_total{method,code}  counter: calls that ended
///   PREFIX_rpc_seconds{method,code}      histogram: unary calls, from arrival to answer, with
///                                        exemplars of sampled traces
///   PREFIX_rpc_open{method}              gauge: calls under way; of a stream, how many are open
/// Calls of other services, such as health and reflection, count under the method "other".
/// Thread-safe.
class RpcMetrics final : public rpc::CallObserver {
 public:
  /// `services`: full names, e.g. "ridestream.trip.v1.TripService". Each method has its series from
  /// the start, at 0.
  RpcMetrics(prometheus::Registry& registry, const std::string& prefix,
             const std::vector<std::string>& services);
  ~RpcMetrics() override;

  void CallBegan(std::string_view method) override;
  void CallEnded(std::string_view method, grpc::StatusCode code, std::chrono::nanoseconds took,
                 const tracing::TraceId& trace) override;

 private:
  struct Method;
  /// The histogram of a unary method and a code, made when it is first needed.
  TracedHistogram& SecondsOf(Method& method, std::size_t code);
  void AddMethod(const std::string& full_name, const std::string& label, bool unary);
  Method& Find(std::string_view method) const;

  prometheus::Family<prometheus::Counter>& calls_;
  prometheus::Family<prometheus::Histogram>& seconds_;
  prometheus::Family<prometheus::Gauge>& open_;
  Mutex mu_;
  std::vector<std::unique_ptr<TracedHistogram>> histograms_ ABSL_GUARDED_BY(mu_);
  // By full name; not changed after construction. "" is "other".
  absl::flat_hash_map<std::string, std::unique_ptr<Method>> methods_;
};

}  // namespace ridestream::metrics
