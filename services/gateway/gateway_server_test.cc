#include "services/gateway/gateway_server.h"

#include <gtest/gtest.h>

#include "libs/metrics/testing/scrape.h"
#include "libs/testing/status_matchers.h"
#include "services/gateway/testing/fake_services.h"
#include "services/gateway/testing/test_client.h"

namespace ridestream::gateway {
namespace {

using metrics::testing::HttpGet;
using metrics::testing::ScrapeMetrics;
using metrics::testing::Sum;

TEST(GatewayServerTest, ForwardsAndCountsCallsUntilItIsDrained) {
  const FakeServices services;
  auto server = GatewayServer::Start({.metrics_listen = "127.0.0.1:0",
                                      .security = {.insecure = true},
                                      .trip = services.address(),
                                      .location = services.address(),
                                      .dispatch = services.address()});
  ASSERT_THAT(server, testing::IsOk());
  TestClient client((*server)->port());
  EXPECT_EQ(client.Call("GET", "/v1/trips/t-1", {{"ridestream-caller", "rider/r"}}).status, 200);
  // The call is counted once its answer has been sent; the test's time bounds the wait.
  for (double counted = 0; counted < 1;) {
    const auto metrics = ScrapeMetrics((*server)->metrics_address());
    ASSERT_THAT(metrics, testing::IsOk());
    counted = Sum(*metrics, "gateway_rpc_calls_total", {{"method", "GetTrip"}});
  }
  const std::string address = (*server)->address();
  (*server)->Drain();
  EXPECT_THAT(HttpGet(address, "/healthz"), testing::StatusIs(absl::StatusCode::kUnavailable, ""));
}

TEST(GatewayServerTest, NamesTheAddressThatIsTaken) {
  auto first = GatewayServer::Start({.security = {.insecure = true}});
  ASSERT_THAT(first, testing::IsOk());
  const std::string taken = (*first)->address();
  EXPECT_THAT(GatewayServer::Start({.address = taken, .security = {.insecure = true}}),
              testing::StatusIs(absl::StatusCode::kUnavailable, taken));
  EXPECT_THAT(GatewayServer::Start({.metrics_listen = taken, .security = {.insecure = true}}),
              testing::StatusIs(absl::StatusCode::kUnavailable, taken));
}

}  // namespace
}  // namespace ridestream::gateway
