#include "services/gateway/http_metrics.h"

#include <algorithm>
#include <array>
#include <string>

#include "libs/metrics/buckets.h"

namespace ridestream::gateway {
namespace {

constexpr char kOther[] = "other";

std::string MethodLabel(std::string_view method) {
  static constexpr std::array<std::string_view, 7> kUsual = {"GET",    "POST", "PUT",    "PATCH",
                                                             "DELETE", "HEAD", "OPTIONS"};
  const bool usual = std::find(kUsual.begin(), kUsual.end(), method) != kUsual.end();
  return usual ? std::string(method) : kOther;
}

}  // namespace

HttpMetrics::HttpMetrics(prometheus::Registry& registry)
    : requests_(prometheus::BuildCounter()
                    .Name("gateway_http_requests_total")
                    .Help("HTTP requests that were answered")
                    .Register(registry)),
      seconds_(
          prometheus::BuildHistogram()
              .Name("gateway_http_seconds")
              .Help(
                  "From an HTTP request's arrival until the first byte of its response, in seconds")
              .Register(registry)) {}

void HttpMetrics::Answered(std::string_view method, std::string_view route, int status,
                           std::chrono::nanoseconds took) {
  const std::string route_label = route.empty() ? kOther : std::string(route);
  requests_
      .Add({{"method", MethodLabel(method)},
            {"route", route_label},
            {"status", std::to_string(status)}})
      .Increment();
  seconds_.Add({{"route", route_label}}, metrics::SecondsOfACall())
      .Observe(std::chrono::duration<double>(took).count());
}

}  // namespace ridestream::gateway
