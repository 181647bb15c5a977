#include "libs/metrics/exporter.h"

#include <fmt/format.h>

#include <iterator>

#include "absl/status/status.h"
#include "libs/base/host_port.h"
#include "libs/metrics/open_metrics.h"
#include "prometheus/text_serializer.h"

namespace ridestream::metrics {
namespace {

constexpr char kOff[] = "off";

constexpr char kTextType[] = "text/plain; version=0.0.4; charset=utf-8";

ScrapeServer::Page Render(const std::vector<std::shared_ptr<prometheus::Collectable>>& metrics,
                          std::string_view accept) {
  std::vector<prometheus::MetricFamily> all;
  for (const auto& source : metrics) {
    auto families = source->Collect();
    all.insert(all.end(), std::make_move_iterator(families.begin()),
               std::make_move_iterator(families.end()));
  }
  if (AcceptsOpenMetrics(accept)) {
    return {kOpenMetricsType, ToOpenMetrics(all, Exemplars::OfProcess())};
  }
  return {kTextType, prometheus::TextSerializer().Serialize(all)};
}

}  // namespace

absl::StatusOr<std::unique_ptr<Exporter>> Exporter::Start(
    const std::string& listen, std::vector<std::shared_ptr<prometheus::Collectable>> metrics) {
  if (listen == kOff) return std::unique_ptr<Exporter>(new Exporter(kOff, nullptr));
  const auto address = ParseHostPort(listen);
  if (!address.ok() || address->host.empty()) {
    return absl::InvalidArgumentError(
        fmt::format("--metrics_listen={}: must be HOST:PORT, e.g. 127.0.0.1:7101, or off", listen));
  }
  auto server = ScrapeServer::Start(
      *address, {},
      [metrics = std::move(metrics)](std::string_view accept) { return Render(metrics, accept); });
  if (!server.ok()) {
    return absl::UnavailableError(fmt::format(
        "--metrics_listen={}: can't be served: is the port in use, or the host none of this "
        "machine? ({})",
        listen, std::string(server.status().message())));
  }
  std::string served = WithPort(listen, (*server)->port());
  return std::unique_ptr<Exporter>(new Exporter(std::move(served), *std::move(server)));
}

}  // namespace ridestream::metrics
