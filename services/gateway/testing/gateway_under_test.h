#pragma once

#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "services/gateway/http/http_server.h"
#include "services/gateway/server/gateway.h"
#include "services/gateway/testing/fake_services.h"

namespace ridestream::gateway {

/// A gateway in this process before services that are fakes.
class GatewayTest : public ::testing::Test {
 protected:
  GatewayTest() { Start(""); }
  ~GatewayTest() override { server_.reset(); }

  /// Anew, with `allow_origins`, or other limits or addresses.
  void Start(const std::string& allow_origins, const HttpLimits& limits = {},
             const std::string& services = "");
  int port() const { return server_->port(); }

  FakeServices services_;
  std::unique_ptr<Gateway> gateway_;
  std::unique_ptr<HttpServer> server_;
};

}  // namespace ridestream::gateway
