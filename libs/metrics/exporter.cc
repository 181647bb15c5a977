#include "libs/metrics/exporter.h"

#include <fmt/format.h>

#include <iterator>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "prometheus/text_serializer.h"

namespace ridestream::metrics {
namespace {

constexpr char kOff[] = "off";

struct Address {
  std::string host;
  int port;
};

/// Splits "HOST:PORT"; nullopt when it isn't that.
std::optional<Address> ReadAddress(const std::string& listen) {
  const std::size_t colon = listen.rfind(':');
  int port = -1;
  if (colon == std::string::npos || colon == 0 || listen.find(',') != std::string::npos ||
      !absl::SimpleAtoi(listen.substr(colon + 1), &port) || port < 0 || port > 65'535) {
    return std::nullopt;
  }
  return Address{listen.substr(0, colon), port};
}

std::string Render(const std::vector<std::shared_ptr<prometheus::Collectable>>& metrics) {
  std::vector<prometheus::MetricFamily> all;
  for (const auto& source : metrics) {
    auto families = source->Collect();
    all.insert(all.end(), std::make_move_iterator(families.begin()),
               std::make_move_iterator(families.end()));
  }
  return prometheus::TextSerializer().Serialize(all);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Exporter>> Exporter::Start(
    const std::string& listen, std::vector<std::shared_ptr<prometheus::Collectable>> metrics) {
  if (listen == kOff) return std::unique_ptr<Exporter>(new Exporter(kOff, nullptr));
  const auto address = ReadAddress(listen);
  if (!address) {
    return absl::InvalidArgumentError(
        fmt::format("--metrics_listen={}: must be HOST:PORT, e.g. 127.0.0.1:7101, or off", listen));
  }
  auto server = ScrapeServer::Start(address->host, address->port, {},
                                    [metrics = std::move(metrics)] { return Render(metrics); });
  if (!server.ok()) {
    return absl::UnavailableError(fmt::format(
        "--metrics_listen={}: can't be served: is the port in use, or the host not a numeric "
        "address of this machine? ({})",
        listen, std::string(server.status().message())));
  }
  std::string served = fmt::format("{}:{}", address->host, (*server)->port());
  return std::unique_ptr<Exporter>(new Exporter(std::move(served), *std::move(server)));
}

}  // namespace ridestream::metrics
