#pragma once

#include <chrono>
#include <string_view>

#include "prometheus/counter.h"
#include "prometheus/family.h"
#include "prometheus/histogram.h"
#include "prometheus/registry.h"
#include "services/gateway/http/http_server.h"

namespace ridestream::gateway {

/// Counts and times HTTP requests by route:
///   gateway_http_requests_total{method,route,status}  counter
///   gateway_http_seconds{route}                       histogram: until the answer begins
/// Text from outside never becomes a label: methods beyond HTTP's usual ones, and requests for
/// unknown routes, count as "other". Thread-safe.
class HttpMetrics final : public HttpObserver {
 public:
  explicit HttpMetrics(prometheus::Registry& registry);

  void Answered(std::string_view method, std::string_view route, int status,
                std::chrono::nanoseconds took) override;

 private:
  prometheus::Family<prometheus::Counter>& requests_;
  prometheus::Family<prometheus::Histogram>& seconds_;
};

}  // namespace ridestream::gateway
