#include "services/gateway/credentials/browser_sessions.h"

#include <fmt/format.h>
#include <openssl/crypto.h>

#include <chrono>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "libs/base/host_port.h"
#include "libs/identity/development_authority.h"
#include "libs/rpc/rate_limiter.h"
#include "libs/service/service.h"
#include "services/gateway/http/origins.h"
#include "services/gateway/http/problem.h"

namespace ridestream::gateway {
namespace {

constexpr std::string_view kCookie = "ridestream-session";
constexpr std::chrono::hours kTokenLifetime{1};

/// Takes the same time for all wrong texts of one length.
bool IsSecret(std::string_view text, std::string_view secret) {
  return text.size() == secret.size() &&
         CRYPTO_memcmp(text.data(), secret.data(), secret.size()) == 0;
}

/// Browsers send the cookies of one host to all its ports, so each port has a name of its own.
std::string CookieName(const Request& request) {
  const auto host = ParseHostPort(request.headers.Get("host"));
  return host.ok() ? fmt::format("{}-{}", kCookie, host->port) : std::string(kCookie);
}

/// The audience keeps a session apart from a token: neither is taken for the other.
identity::TokenRules SessionRules(identity::TokenRules rules) {
  rules.audience += "-session";
  return rules;
}

Response RefuseSignIn(const absl::Status& why) {
  static rpc::RateLimiter log_limiter({.per_s = 10, .burst = 100});
  if (!log_limiter.Take("", rpc::RateLimiter::Wall::now())) {
    service::Log(service::Level::kWarning, "sign_in_refused",
                 {{"reason", std::string(why.message())}});
  }
  return Problem(why);
}

}  // namespace

absl::StatusOr<std::unique_ptr<BrowserSessions>> BrowserSessions::Make(identity::TokenSigner signer,
                                                                       identity::TokenRules rules,
                                                                       const Clock& wall) {
  auto keys = identity::KeySet::Parse(signer.PublicJwks());
  if (!keys.ok()) return keys.status();
  std::unique_ptr<BrowserSessions> sessions(
      new BrowserSessions(std::move(signer), std::move(rules), wall));
  sessions->keys_ = *std::move(keys);
  absl::Status status;
  {
    MutexLock lock(sessions->mu_);
    status = sessions->NewCode();
  }
  if (!status.ok()) return status;
  return sessions;
}

BrowserSessions::BrowserSessions(identity::TokenSigner signer, identity::TokenRules rules,
                                 const Clock& wall)
    : wall_(wall), rules_(rules), session_rules_(SessionRules(rules)), signer_(std::move(signer)) {}

void BrowserSessions::SetUrl(std::string url) {
  MutexLock lock(mu_);
  url_ = std::move(url);
}

std::string BrowserSessions::Address() const {
  MutexLock lock(mu_);
  return AddressLocked();
}

std::string BrowserSessions::AddressLocked() const {
  return fmt::format("{}{}?code={}", url_, kSignInPath, code_);
}

absl::Status BrowserSessions::NewCode() {
  auto code = identity::RandomId();
  if (!code.ok()) return code.status();
  code_ = *std::move(code);
  code_made_at_ = wall_.Now();
  return absl::OkStatus();
}

absl::StatusOr<std::string> BrowserSessions::Redeem(std::string_view code) {
  if (!IsSecret(code, code_)) {
    return absl::PermissionDeniedError(
        "this address was already used or was never valid; the gateway's log has a valid one");
  }
  const bool expired = wall_.Now() - code_made_at_ > kLifetime;
  if (absl::Status status = NewCode(); !status.ok()) return status;
  service::Log(service::Level::kInfo, "sign_in_address", {{"page", AddressLocked()}});
  if (expired) {
    return absl::PermissionDeniedError("this address has expired; the gateway's log has a new one");
  }
  auto cookie =
      signer_.Mint({identity::Role::kViewer, "browser"}, session_rules_, wall_.Now(), kLifetime);
  if (cookie.ok()) service::Log(service::Level::kInfo, "session_opened");
  return cookie;
}

Response BrowserSessions::SignIn(const Request& request) {
  if (request.method != "GET") {
    Response response = Problem(405, absl::StatusCode::kUnimplemented,
                                fmt::format("{} takes GET, not {}", kSignInPath, request.method));
    response.headers.Add("allow", "GET");
    return response;
  }
  Response response{.status = 303, .headers = {{"location", "/"}, {"cache-control", "no-store"}}};
  if (Holds(request.headers)) return response;
  constexpr std::string_view kParameter = "code=";
  const std::string_view query = request.query;
  MutexLock lock(mu_);
  const auto cookie =
      Redeem(query.starts_with(kParameter) ? query.substr(kParameter.size()) : std::string_view());
  if (!cookie.ok()) return RefuseSignIn(cookie.status());
  response.headers.Add(
      "set-cookie",
      fmt::format("{}={}; Path=/; Max-Age={}; HttpOnly; SameSite=Strict{}", CookieName(request),
                  *cookie, std::chrono::seconds(kLifetime).count(),
                  url_.starts_with("https:") ? "; Secure" : ""));
  return response;
}

bool BrowserSessions::Holds(const Headers& headers) const {
  if (!IsOwnOrigin(headers)) return false;
  for (const auto& [name, value] : headers) {
    if (!SameName(name, "cookie")) continue;
    for (const absl::string_view piece :
         absl::StrSplit(absl::string_view(value.data(), value.size()), ';')) {
      const absl::string_view stripped = absl::StripAsciiWhitespace(piece);
      const std::string_view cookie(stripped.data(), stripped.size());
      const std::size_t equals = cookie.find('=');
      if (equals == std::string_view::npos || !cookie.starts_with(kCookie)) continue;
      const auto session =
          identity::VerifyToken(cookie.substr(equals + 1), *keys_, session_rules_, wall_.Now());
      if (session.ok()) return true;
    }
  }
  return false;
}

absl::StatusOr<std::string> BrowserSessions::MintToken(std::string_view caller) const {
  const auto principal = identity::ParsePrincipal(caller);
  if (!principal.ok()) return principal.status();
  if (principal->role == identity::Role::kOperator) {
    return absl::PermissionDeniedError("a browser's session must be a rider, a driver or a viewer");
  }
  MutexLock lock(mu_);
  return signer_.Mint(*principal, rules_, wall_.Now(), kTokenLifetime);
}

}  // namespace ridestream::gateway
