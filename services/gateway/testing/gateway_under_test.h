#pragma once

#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "libs/metrics/testing/scrape.h"
#include "prometheus/registry.h"
#include "services/gateway/credentials/credentials.h"
#include "services/gateway/http/http_server.h"
#include "services/gateway/http_metrics.h"
#include "services/gateway/server/gateway.h"
#include "services/gateway/testing/event.h"
#include "services/gateway/testing/fake_services.h"
#include "services/gateway/testing/test_client.h"

namespace ridestream::gateway {

/// A gateway in this process in front of fake services.
class GatewayTest : public ::testing::Test {
 protected:
  GatewayTest() { Start(""); }
  ~GatewayTest() override { server_.reset(); }

  /// Restarts the gateway with `allow_origins`, and other limits or addresses (see
  /// service::MarketAddresses).
  void Start(const std::string& allow_origins, const HttpLimits& limits = {},
             const std::string& services = "");
  /// Restarts the gateway with time-outs so long that only a client's disconnection ends its calls.
  void StartPatient();
  int port() const { return server_->port(); }

  /// Disconnects the client, waits until its call has `ended`, and prints how long that took.
  static void GoAway(TestClient& client, Event& ended);

  /// The metrics of the requests to all gateways of this test.
  metrics::testing::Metrics Measured() const;

  FakeServices services_;
  const Anonymizer anonymizer_{*Pseudonyms::Random()};
  Credentials credentials_{anonymizer_};  // For the gateway that Start makes.
  OidcSignIn* oidc_ = nullptr;            // For the gateway that Start makes.
  std::string trace_url_;                 // For the gateway that Start makes.
  prometheus::Registry registry_;
  HttpMetrics http_metrics_{registry_};
  std::unique_ptr<Gateway> gateway_;
  std::unique_ptr<HttpServer> server_;
};

}  // namespace ridestream::gateway
