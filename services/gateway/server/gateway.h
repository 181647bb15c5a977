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
  /// Under which names it answers; loopback's alone unless said otherwise.
  Hosts hosts = {};
  StaticFiles files;
  /// Make hands them to `web` and `rest`.
  Credentials credentials = {};
  /// Null if nobody can sign in at an OIDC provider; else outlives the gateway.
  OidcSignIn* oidc = nullptr;
  /// Browsers reach it by https, and are told to use nothing else for a year (HSTS).
  bool https = false;
  WebOptions web = {};
  RestOptions rest = {};
};

/// Decides who answers a request: gRPC-Web, WebSocket, REST, sign-in, the health check or the
/// page's files.
/// Thread-safe; must outlive the server that it answers for.
class Gateway {
 public:
  /// INVALID_ARGUMENT when a proto's option of REST is wrong; it names the method.
  static absl::StatusOr<std::unique_ptr<Gateway>> Make(GatewayOptions options);

  void Serve(const std::shared_ptr<Exchange>& exchange) const;
  /// From now on the health check says that we are going.
  void StartDrain() { draining_ = true; }

 private:
  explicit Gateway(GatewayOptions options) : options_(std::move(options)) {}
  void ServeMethod(const Method& method, const std::shared_ptr<Exchange>& exchange) const;
  /// Sign-in, sign-out, and what the page asks about its session. False for other paths.
  bool ServeSession(const std::shared_ptr<Exchange>& exchange) const;
  Response DescribeSession(const Request& request) const;
  /// False if the path is none of REST's.
  bool ServeRoute(const std::shared_ptr<Exchange>& exchange) const;
  Response Health() const;

  const GatewayOptions options_;
  Routes routes_;         // Of options_.services; set before it serves.
  SharedBytes document_;  // OpenAPI's.
  std::atomic<bool> draining_ = false;
};

}  // namespace ridestream::gateway
