#include "services/gateway/server/gateway.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "services/gateway/http/problem.h"
#include "services/gateway/openapi/openapi.h"

namespace ridestream::gateway {

using absl::StatusCode;

namespace {

constexpr std::string_view kHealthPath = "/healthz";
constexpr std::string_view kSessionPath = "/session";
constexpr std::string_view kOpenApiPath = "/openapi.json";
constexpr std::string_view kFilesRoute = "files";

/// No response may be framed, or used by a page of another site.
const Headers& SafetyHeaders() {
  static const Headers headers = {{"referrer-policy", "no-referrer"},
                                  {"x-frame-options", "DENY"},
                                  {"cross-origin-opener-policy", "same-origin"},
                                  {"cross-origin-resource-policy", "same-origin"}};
  return headers;
}

/// The page has no inline code and compiles no scripts at run time. Its styles contain small
/// images.
constexpr std::string_view kPagePolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
constexpr std::string_view kApiPolicy = "default-src 'none'; frame-ancestors 'none'";

}  // namespace

absl::StatusOr<std::unique_ptr<Gateway>> Gateway::Make(GatewayOptions options) {
  options.web.credentials = options.credentials;
  options.rest.credentials = options.credentials;
  if (options.https) options.origins.RequireTls();
  std::unique_ptr<Gateway> gateway(new Gateway(std::move(options)));
  auto routes = Routes::Read(gateway->options_.services);
  if (!routes.ok()) return routes.status();
  gateway->routes_ = *std::move(routes);
  gateway->document_ = Share(OpenApiDocument(gateway->routes_));
  return gateway;
}

void Gateway::Serve(const std::shared_ptr<Exchange>& exchange) const {
  const Request& request = exchange->request();
  exchange->AddHeaders(SafetyHeaders());
  if (options_.https) exchange->AddHeaders({{"strict-transport-security", "max-age=31536000"}});
  // Health checks are allowed under any host name, since orchestrators probe by address and the
  // answer reveals nothing. HTTP/1.0 requests may lack a host, but browsers never send such
  // requests.
  if (request.path != kHealthPath && request.headers.Has("host") &&
      !options_.hosts.Allow(request.headers.Get("host"))) {
    return exchange->Send(Problem(421, StatusCode::kPermissionDenied,
                                  fmt::format("host {} isn't served here; see --allowed_hosts",
                                              request.headers.Get("host"))));
  }
  if (!options_.origins.Allow(request)) {
    return exchange->Send(Problem(403, StatusCode::kPermissionDenied,
                                  fmt::format("origin {} isn't allowed here; see --allow_origins",
                                              request.headers.Get("origin"))));
  }
  exchange->AddHeaders(options_.origins.AnswerHeaders(request));
  if (request.method == "OPTIONS") return exchange->Send(options_.origins.Preflight(request));
  if (request.path == kHealthPath) {
    exchange->SetRoute(kHealthPath);
    return exchange->Send(Health());
  }
  if (ServeSession(exchange)) return;
  if (const Method* method = options_.services.Find(request.path)) {
    exchange->SetRoute(method->path);
    return ServeMethod(*method, exchange);
  }
  if (IsGrpcWeb(request.headers.Get("content-type"))) {
    return exchange->Send(Problem(404, StatusCode::kUnimplemented,
                                  fmt::format("there is no method {}", request.path)));
  }
  if (ServeRoute(exchange)) return;
  Response file = options_.files.Serve(request);
  file.headers.Add("content-security-policy", file.status < 400 ? kPagePolicy : kApiPolicy);
  if (file.status < 400) exchange->SetRoute(kFilesRoute);
  exchange->Send(std::move(file));
}

bool Gateway::ServeSession(const std::shared_ptr<Exchange>& exchange) const {
  const Request& request = exchange->request();
  BrowserSessions* const sessions = options_.credentials.sessions();
  const auto is = [&](std::string_view path) {
    if (request.path != path) return false;
    exchange->SetRoute(path);
    return true;
  };
  if (is(kSessionPath)) {
    exchange->Send(DescribeSession(request));
  } else if (sessions != nullptr && sessions->has_codes() && is(BrowserSessions::kSignInPath)) {
    exchange->Send(sessions->SignIn(request));
  } else if (sessions != nullptr && is(BrowserSessions::kSignOutPath)) {
    exchange->Send(sessions->SignOut(request));
  } else if (options_.oidc != nullptr && is(OidcSignIn::kStartPath)) {
    options_.oidc->Start(exchange);
  } else if (options_.oidc != nullptr && is(OidcSignIn::kCallbackPath)) {
    options_.oidc->Finish(exchange);
  } else {
    return false;
  }
  return true;
}

Response Gateway::DescribeSession(const Request& request) const {
  if (request.method != "GET" && request.method != "HEAD") return WrongMethod(request, "GET");
  nlohmann::json body = nlohmann::json::object();
  if (options_.oidc != nullptr) body["signIn"] = OidcSignIn::kStartPath;
  const BrowserSessions* const sessions = options_.credentials.sessions();
  const auto session = sessions == nullptr ? std::nullopt : sessions->Find(request.headers);
  if (session) {
    body["session"] = nlohmann::json::object();
    if (session->person) body["session"]["caller"] = identity::Name(*session->person);
  }
  // Only for those who see trips.
  if (!options_.trace_url.empty() && (session || !options_.credentials.is_proof_required())) {
    body["traceUrl"] = options_.trace_url;
  }
  return {.status = 200,
          .headers = {{"content-type", "application/json"}, {"cache-control", "no-store"}},
          .body = Share(body.dump() + "\n")};
}

bool Gateway::ServeRoute(const std::shared_ptr<Exchange>& exchange) const {
  const Request& request = exchange->request();
  // HEAD gets the same response as GET; the connection omits the body.
  const std::string_view method =
      request.method == "HEAD" ? std::string_view("GET") : std::string_view(request.method);
  if (request.path == kOpenApiPath) {
    exchange->SetRoute(kOpenApiPath);
    exchange->Send(
        {.status = 200,
         .headers = {{"content-type", "application/json"}, {"cache-control", "no-cache"}},
         .body = document_});
    return true;
  }
  const auto found = routes_.Find(method, request.path);
  if (const auto* route = std::get_if<Routes::Found>(&found)) {
    exchange->SetRoute(route->route->path.text());
    ServeRest(*route, options_.rest, exchange);
  } else if (const auto* wrong = std::get_if<Routes::WrongMethod>(&found)) {
    exchange->Send(WrongMethod(request, wrong->allow));
  } else if (request.path.starts_with("/v1/")) {
    exchange->Send(
        Problem(404, StatusCode::kNotFound, fmt::format("there is no {}", request.path)));
  } else {
    return false;
  }
  return true;
}

void Gateway::ServeMethod(const Method& method, const std::shared_ptr<Exchange>& exchange) const {
  const Request& request = exchange->request();
  if (exchange->WantsWebSocket()) {
    if (OffersGrpcWebSockets(request)) return ServeWebSocket(method, options_.web, exchange);
    return exchange->Send(Problem(400, StatusCode::kInvalidArgument,
                                  "sec-websocket-protocol: must be grpc-websockets"));
  }
  if (request.method != "POST") {
    Response response = Problem(405, StatusCode::kUnimplemented,
                                fmt::format("gRPC-Web takes POST, not {}", request.method));
    response.headers.Add("allow", "POST");
    return exchange->Send(std::move(response));
  }
  ServeGrpcWeb(method, options_.web, exchange);
}

Response Gateway::Health() const {
  if (draining_) return Problem(503, StatusCode::kUnavailable, "draining");
  return {.status = 200,
          .headers = {{"content-type", "application/json"}, {"cache-control", "no-store"}},
          .body = Share("{\"status\":\"serving\"}\n")};
}

}  // namespace ridestream::gateway
