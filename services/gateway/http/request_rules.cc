#include "services/gateway/http/request_rules.h"

#include <fmt/format.h>

#include "absl/strings/escaping.h"
#include "services/gateway/http/hosts.h"
#include "services/gateway/http/problem.h"

namespace ridestream::gateway {
namespace {

using absl::StatusCode;

Response BadRequest(std::string_view detail) {
  return Problem(400, StatusCode::kInvalidArgument, detail);
}

std::optional<Response> RefuseHost(const Request& request, bool is_1_1) {
  const std::size_t hosts = request.headers.Count("host");
  if (hosts > 1) return BadRequest("host: was sent more than once");
  if (hosts == 0) return is_1_1 ? std::optional(BadRequest("host: is missing")) : std::nullopt;
  if (!HostName(request.headers.Get("host"))) return BadRequest("host: is not a valid host");
  return std::nullopt;
}

/// If the gateway and a proxy disagree on where a body ends, a request can be smuggled past the
/// proxy.
std::optional<Response> RefuseFraming(const Request& request, bool is_1_1) {
  const std::size_t encodings = request.headers.Count("transfer-encoding");
  const std::size_t lengths = request.headers.Count("content-length");
  if (lengths > 1) return BadRequest("content-length: was sent more than once");
  if (encodings == 0) return std::nullopt;
  if (lengths > 0) return BadRequest("content-length: must not accompany transfer-encoding");
  if (!is_1_1) return BadRequest("transfer-encoding: HTTP/1.0 has none");
  if (encodings == 1 && SameName(request.headers.Get("transfer-encoding"), "chunked")) {
    return std::nullopt;
  }
  return Problem(501, StatusCode::kUnimplemented, "transfer-encoding: only chunked is supported");
}

std::optional<Response> RefuseCoding(const Request& request) {
  for (const auto& [name, value] : request.headers) {
    if (!SameName(name, "content-encoding") || SameName(value, "identity")) continue;
    Response response = Problem(415, StatusCode::kUnimplemented,
                                "content-encoding: compressed bodies aren't supported");
    response.headers.Add("accept-encoding", "identity");
    return response;
  }
  return std::nullopt;
}

std::optional<Response> RefuseWebSocket(const Request& request) {
  if (request.headers.Get("sec-websocket-version") != "13" ||
      request.headers.Count("sec-websocket-version") > 1) {
    Response response =
        Problem(426, StatusCode::kUnimplemented, "sec-websocket-version: must be 13");
    response.headers.Add("sec-websocket-version", "13");
    response.headers.Add("upgrade", "websocket");
    return response;
  }
  const std::string_view key = request.headers.Get("sec-websocket-key");
  std::string bytes;
  // Strict: 16 bytes are 24 characters, and the last two are padding.
  if (request.headers.Count("sec-websocket-key") != 1 || key.size() != 24 ||
      !absl::Base64Unescape(absl::string_view(key.data(), key.size()), &bytes) ||
      bytes.size() != 16) {
    return BadRequest("sec-websocket-key: must be sent once, as base64 of 16 bytes");
  }
  if (request.headers.Has("content-length") || request.headers.Has("transfer-encoding")) {
    return BadRequest("a WebSocket request must not have a body");
  }
  return std::nullopt;
}

}  // namespace

void NormalizeTarget(Request& request) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!SameName(std::string_view(request.path).substr(0, scheme.size()), scheme)) continue;
    const std::size_t slash = request.path.find('/', scheme.size());
    const std::string authority = request.path.substr(
        scheme.size(), slash == std::string::npos ? slash : slash - scheme.size());
    request.path = slash == std::string::npos ? "/" : request.path.substr(slash);
    Headers headers;
    for (const auto& [name, value] : request.headers) {
      headers.Add(name, SameName(name, "host") ? authority : value);
    }
    request.headers = std::move(headers);
    return;
  }
}

std::optional<Response> Refusal(const Request& request, const RequestForm& form) {
  if (auto refusal = RefuseHost(request, form.is_1_1)) return refusal;
  if (auto refusal = RefuseFraming(request, form.is_1_1)) return refusal;
  const bool asks_all = request.method == "OPTIONS" && request.path == "*";
  if (!request.path.starts_with('/') && !asks_all) {
    return BadRequest("the request target must be a path or an http URL");
  }
  if (auto refusal = RefuseCoding(request)) return refusal;
  if (request.headers.Has("expect") && !SameName(request.headers.Get("expect"), "100-continue")) {
    return Problem(417, StatusCode::kUnimplemented, "expect: only 100-continue is supported");
  }
  if (form.asks_for_web_socket) return RefuseWebSocket(request);
  return std::nullopt;
}

}  // namespace ridestream::gateway
