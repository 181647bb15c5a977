#pragma once

#include <atomic>
#include <memory>

#include "absl/status/statusor.h"
#include "services/gateway/call/services.h"
#include "services/gateway/credentials/credentials.h"
#include "services/gateway/grpc_web/grpc_web.h"
#include "services/gateway/http/exchange.h"
#include "services/gateway/http/hosts.h"
#include "services/gateway/http/origins.h"
#include "services/gateway/http/static_files.h"
#include "services/gateway/oidc/oidc_sign_in.h"
#include "services/gateway/rest/rest.h"

namespace ridestream::gateway {

struct GatewayOptions {
  Services services;
  Origins origins;
  /// Host names under which the gateway answers; only loopback by default.
  Hosts hosts = {};
  StaticFiles files;
  /// Make passes them on to `web` and `rest`.
  Credentials credentials = {};
  /// Null without an OIDC provider. Must outlive the gateway.
  OidcSignIn* oidc = nullptr;
  /// Template of the URL of the page that shows a trace, in the form of CheckTraceUrl. Empty: none.
  std::string trace_url = {};
  /// Browsers reach the gateway by HTTPS, and are instructed to use only HTTPS for a year (HSTS).
  bool https = false;
  WebOptions web = {};
  RestOptions rest = {};
};

/// Routes requests to gRPC-Web, WebSockets, REST, sign-in, the health check or the page's files.
/// Thread-safe; must outlive the server that it handles requests for.
class Gateway {
 public:
  /// INVALID_ARGUMENT, with the method's name, if a proto's HTTP option is wrong.
  static absl::StatusOr<std::unique_ptr<Gateway>> Make(GatewayOptions options);

  void Serve(const std::shared_ptr<Exchange>& exchange) const;
  /// From now on the health check reports that the gateway is draining.
  void StartDrain() { draining_ = true; }

 private:
  explicit Gateway(GatewayOptions options) : options_(std::move(options)) {}
  void ServeMethod(const Method& method, const std::shared_ptr<Exchange>& exchange) const;
  /// Handles sign-in, sign-out and the page's question about its session. False for other paths.
  bool ServeSession(const std::shared_ptr<Exchange>& exchange) const;
  Response DescribeSession(const Request& request) const;
  /// False if the path is not a REST path.
  bool ServeRoute(const std::shared_ptr<Exchange>& exchange) const;
  Response Health() const;

  const GatewayOptions options_;
  Routes routes_;         // For options_.services; set before serving starts.
  SharedBytes document_;  // The OpenAPI document.
  std::atomic<bool> draining_ = false;
};

}  // namespace ridestream::gateway
