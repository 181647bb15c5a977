#include "libs/metrics/rpc_metrics.h"

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>

#include <array>
#include <atomic>
#include <map>

#include "absl/status/status.h"
#include "libs/base/invariant.h"
#include "libs/metrics/buckets.h"
#include "prometheus/counter.h"
#include "prometheus/family.h"
#include "prometheus/gauge.h"
#include "prometheus/histogram.h"

namespace ridestream::metrics {
namespace {

/// The codes of gRPC, OK to UNAUTHENTICATED.
constexpr int kCodes = 17;

std::string CodeName(int code) {
  return absl::StatusCodeToString(static_cast<absl::StatusCode>(code));
}

}  // namespace

/// The series of one method. The series of a status code are created when the code first occurs, so
/// that a scrape doesn't list errors that never happened.
struct RpcMetrics::Method {
  std::string label;
  bool unary = false;
  prometheus::Gauge* open = nullptr;
  std::array<std::atomic<prometheus::Counter*>, kCodes> calls{};
  std::array<std::atomic<TracedHistogram*>, kCodes> seconds{};
};

RpcMetrics::RpcMetrics(prometheus::Registry& registry, const std::string& prefix,
                       const std::vector<std::string>& services)
    : calls_(prometheus::BuildCounter()
                 .Name(prefix + "_rpc_calls_total")
                 .Help("Finished calls")
                 .Register(registry)),
      seconds_(prometheus::BuildHistogram()
                   .Name(prefix + "_rpc_seconds")
                   .Help("Duration of unary calls, from arrival to response, in seconds")
                   .Register(registry)),
      open_(prometheus::BuildGauge()
                .Name(prefix + "_rpc_open")
                .Help("Calls under way; for a streaming method, its open streams")
                .Register(registry)) {
  AddMethod("", "other", /*unary=*/false);
  const auto& pool = *google::protobuf::DescriptorPool::generated_pool();
  for (const std::string& name : services) {
    const google::protobuf::ServiceDescriptor* service = pool.FindServiceByName(name);
    if (!RIDESTREAM_INVARIANT(service != nullptr, "a service that is served has a proto")) continue;
    for (int i = 0; i < service->method_count(); ++i) {
      const auto& method = *service->method(i);
      AddMethod(fmt::format("/{}/{}", name, method.name()), method.name(),
                !method.client_streaming() && !method.server_streaming());
    }
  }
}

RpcMetrics::~RpcMetrics() = default;

void RpcMetrics::AddMethod(const std::string& full_name, const std::string& label, bool unary) {
  auto method = std::make_unique<Method>();
  method->label = label;
  method->unary = unary;
  method->open = &open_.Add({{"method", label}});
  method->calls[0] = &calls_.Add({{"method", label}, {"code", CodeName(0)}});
  if (unary) SecondsOf(*method, 0);
  methods_.emplace(full_name, std::move(method));
}

RpcMetrics::Method& RpcMetrics::Find(std::string_view method) const {
  const auto found = methods_.find(absl::string_view(method.data(), method.size()));
  return found == methods_.end() ? *methods_.at("") : *found->second;
}

void RpcMetrics::CallBegan(std::string_view method) { Find(method).open->Increment(); }

void RpcMetrics::CallEnded(std::string_view name, grpc::StatusCode code,
                           std::chrono::nanoseconds took, const tracing::TraceId& trace) {
  Method& method = Find(name);
  method.open->Decrement();
  // Unknown codes count as UNKNOWN, as in gRPC itself.
  const int at = code >= 0 && code < kCodes ? code : grpc::StatusCode::UNKNOWN;
  const auto index = static_cast<std::size_t>(at);
  prometheus::Counter* calls = method.calls[index].load(std::memory_order_acquire);
  if (calls == nullptr) {
    // Add returns the existing series for the same labels, so two threads get the same series.
    calls = &calls_.Add({{"method", method.label}, {"code", CodeName(at)}});
    method.calls[index].store(calls, std::memory_order_release);
  }
  calls->Increment();
  if (method.unary) SecondsOf(method, index).Observe(took, trace);
}

TracedHistogram& RpcMetrics::SecondsOf(Method& method, std::size_t code) {
  TracedHistogram* seconds = method.seconds[code].load(std::memory_order_acquire);
  if (seconds != nullptr) return *seconds;
  MutexLock lock(mu_);
  seconds = method.seconds[code].load(std::memory_order_relaxed);
  if (seconds != nullptr) return *seconds;
  seconds = histograms_
                .emplace_back(std::make_unique<TracedHistogram>(
                    seconds_,
                    std::map<std::string, std::string>{{"method", method.label},
                                                       {"code", CodeName(static_cast<int>(code))}},
                    SecondsOfACall()))
                .get();
  method.seconds[code].store(seconds, std::memory_order_release);
  return *seconds;
}

}  // namespace ridestream::metrics
