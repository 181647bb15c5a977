#include "services/gateway/http/origins.h"

#include <fmt/format.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"

namespace ridestream::gateway {
namespace {

bool IsSameHost(const Headers& headers, std::string_view origin, bool tls) {
  if (tls && !origin.starts_with(kHttps)) return false;
  const std::string_view host = AfterScheme(origin);
  return !host.empty() && SameName(host, headers.Get("host"));
}

/// Whether the browser states that a page of another site embeds the response, for example as an
/// image: browsers send no `Origin` then. False for a link that somebody follows.
bool IsEmbeddedElsewhere(const Request& request) {
  const std::string_view site = request.headers.Get("sec-fetch-site");
  return (site == "cross-site" || site == "same-site") &&
         request.headers.Get("sec-fetch-mode") != "navigate";
}

}  // namespace

std::string_view AfterScheme(std::string_view url) {
  for (const std::string_view scheme : {kHttp, kHttps}) {
    if (url.starts_with(scheme)) return url.substr(scheme.size());
  }
  return {};
}

bool IsOwnOrigin(const Headers& headers, bool tls) {
  return !headers.Has("origin") || IsSameHost(headers, headers.Get("origin"), tls);
}

absl::StatusOr<Origins> Origins::Parse(std::string_view list) {
  Origins origins;
  for (const absl::string_view piece :
       absl::StrSplit(absl::string_view(list.data(), list.size()), ',', absl::SkipWhitespace())) {
    const std::string origin(absl::StripAsciiWhitespace(piece));
    if (origin == "*") {
      origins.all_ = true;
      continue;
    }
    const std::string_view host = AfterScheme(origin);
    if (host.empty() || host.find('/') != std::string_view::npos) {
      return absl::InvalidArgumentError(
          fmt::format("'{}' is not an origin; write https://host or http://host:port", origin));
    }
    origins.listed_.push_back(origin);
  }
  return origins;
}

bool Origins::Allow(const Request& request) const {
  if (all_) return true;
  if (!request.headers.Has("origin")) return !IsEmbeddedElsewhere(request);
  const std::string_view origin = request.headers.Get("origin");
  return IsSameHost(request.headers, origin, tls_) ||
         std::any_of(listed_.begin(), listed_.end(),
                     [origin](const std::string& listed) { return SameName(listed, origin); });
}

Headers Origins::AnswerHeaders(const Request& request) const {
  const std::string_view origin = request.headers.Get("origin");
  if (origin.empty() || IsSameHost(request.headers, origin, tls_)) return {};
  // The browser's cookies and other credentials aren't used here, so the page may read all fields.
  return {{"access-control-allow-origin", std::string(origin)},
          {"access-control-expose-headers", "*"},
          {"vary", "origin"}};
}

Response Origins::Preflight(const Request& request) const {
  Response response{.status = 204};
  response.headers.Add("allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
  if (!request.headers.Has("access-control-request-method")) return response;
  response.headers.Add("access-control-allow-methods", "GET, POST, PUT, PATCH, DELETE");
  if (request.headers.Has("access-control-request-headers")) {
    response.headers.Add("access-control-allow-headers",
                         request.headers.Get("access-control-request-headers"));
  }
  response.headers.Add("access-control-max-age", "7200");
  return response;
}

}  // namespace ridestream::gateway
