#include "services/gateway/testing/gateway_under_test.h"

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <utility>

#include "libs/service/market_addresses.h"
#include "libs/testing/status_matchers.h"
#include "prometheus/text_serializer.h"

namespace ridestream::gateway {

void GatewayTest::Start(const std::string& allow_origins, const HttpLimits& limits,
                        const std::string& services) {
  server_.reset();
  const auto channels = std::make_shared<MarketChannels>(
      MarketChannels::Options{.addresses = *service::MarketAddresses::Parse(
                                  "services", services.empty() ? services_.address() : services)});
  Services all;
  all.Add(*trip::v1::Trip::descriptor()->file(), channels);
  all.Add(*location::v1::NearbyDriver::descriptor()->file(), channels);
  all.Add(*dispatch::v1::DriveRequest::descriptor()->file(), channels);
  auto gateway = Gateway::Make({.services = std::move(all),
                                .origins = *Origins::Parse(allow_origins),
                                .files = {},
                                .credentials = credentials_,
                                .oidc = oidc_,
                                .trace_url = trace_url_});
  ASSERT_THAT(gateway, testing::IsOk());
  gateway_ = *std::move(gateway);
  auto server = HttpServer::Start(
      {.limits = limits,
       .handler = [this](const std::shared_ptr<Exchange>& exchange) { gateway_->Serve(exchange); },
       .observer = &http_metrics_});
  ASSERT_THAT(server, testing::IsOk());
  server_ = *std::move(server);
}

void GatewayTest::StartPatient() {
  using namespace std::chrono_literals;
  Start("", {.header_time = 1h, .body_time = 1h, .idle_time = 1h, .stall_time = 1h});
}

void GatewayTest::GoAway(TestClient& client, Event& ended) {
  const auto start = std::chrono::steady_clock::now();
  client.Close();
  EXPECT_TRUE(ended.Wait());
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
  fmt::print("the call ended {:.1f} ms after its client had gone\n", took.count());
}

metrics::testing::Metrics GatewayTest::Measured() const {
  auto metrics =
      metrics::testing::ParseMetrics(prometheus::TextSerializer().Serialize(registry_.Collect()));
  EXPECT_THAT(metrics, testing::IsOk());
  return metrics.ok() ? *std::move(metrics) : metrics::testing::Metrics();
}

}  // namespace ridestream::gateway
