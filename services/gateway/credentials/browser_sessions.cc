#include "services/gateway/credentials/browser_sessions.h"

#include <fmt/format.h>
#include <openssl/crypto.h>

#include <chrono>
#include <utility>

#include "libs/identity/development_authority.h"
#include "libs/rpc/rate_limiter.h"
#include "libs/service/service.h"
#include "services/gateway/http/origins.h"
#include "services/gateway/http/problem.h"

namespace ridestream::gateway {
namespace {

constexpr std::chrono::hours kTokenLifetime{1};

/// Compares in constant time for texts of the same length.
bool IsSecret(std::string_view text, std::string_view secret) {
  return text.size() == secret.size() &&
         CRYPTO_memcmp(text.data(), secret.data(), secret.size()) == 0;
}

/// Different audiences keep session cookies and tokens from being accepted in place of each other.
identity::TokenRules WithAudience(identity::TokenRules rules, std::string_view suffix) {
  rules.audience += suffix;
  return rules;
}

}  // namespace

void LogRefusedSignIn(std::string_view reason) {
  static rpc::RateLimiter log_limiter({.per_s = 10, .burst = 100});
  if (!log_limiter.Take("", rpc::RateLimiter::Wall::now())) {
    service::Log(service::Level::kWarning, "sign_in_refused", {{"reason", std::string(reason)}});
  }
}

absl::StatusOr<std::unique_ptr<BrowserSessions>> BrowserSessions::Make(identity::TokenSigner signer,
                                                                       identity::TokenRules rules,
                                                                       const Clock& wall,
                                                                       bool has_codes) {
  auto keys = identity::KeySet::Parse(signer.PublicJwks());
  if (!keys.ok()) return keys.status();
  std::unique_ptr<BrowserSessions> sessions(
      new BrowserSessions(std::move(signer), std::move(rules), wall, has_codes));
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
                                 const Clock& wall, bool has_codes)
    : wall_(wall),
      rules_(rules),
      code_rules_(WithAudience(rules, "-session")),
      person_rules_(WithAudience(rules, "-person-session")),
      has_codes_(has_codes),
      signer_(std::move(signer)) {}

void BrowserSessions::SetUrl(std::string url) {
  MutexLock lock(mu_);
  cookie_.emplace("ridestream-session", url, HostCookie::SameSite::kStrict);
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
      signer_.Mint({identity::Role::kViewer, "browser"}, code_rules_, wall_.Now(), kLifetime);
  if (cookie.ok()) service::Log(service::Level::kInfo, "session_opened");
  return cookie;
}

std::optional<HostCookie> BrowserSessions::Cookie() const {
  MutexLock lock(mu_);
  return cookie_;
}

bool BrowserSessions::IsOfOwnPage(const Headers& headers) const {
  MutexLock lock(mu_);
  return IsOwnOrigin(headers, url_.starts_with(kHttps));
}

Response BrowserSessions::SignIn(const Request& request) {
  if (request.method != "GET") return WrongMethod(request, "GET");
  Response response{.status = 303, .headers = {{"location", "/"}, {"cache-control", "no-store"}}};
  if (Find(request.headers)) return response;
  constexpr std::string_view kParameter = "code=";
  const std::string_view query = request.query;
  MutexLock lock(mu_);
  if (!cookie_) return Problem(503, absl::StatusCode::kUnavailable, "the gateway is starting");
  const auto value =
      Redeem(query.starts_with(kParameter) ? query.substr(kParameter.size()) : std::string_view());
  if (!value.ok()) {
    const absl::string_view reason = value.status().message();
    LogRefusedSignIn({reason.data(), reason.size()});
    return Problem(value.status());
  }
  response.headers.Add("set-cookie", cookie_->Set(*value, kLifetime));
  return response;
}

absl::StatusOr<std::string> BrowserSessions::Open(const identity::Principal& person) {
  MutexLock lock(mu_);
  if (!cookie_) return absl::UnavailableError("the gateway is starting");
  const auto value = signer_.Mint(person, person_rules_, wall_.Now(), kLifetime);
  if (!value.ok()) return value.status();
  service::Log(service::Level::kInfo, "session_opened", {{"caller", identity::Name(person)}});
  return cookie_->Set(*value, kLifetime);
}

Response BrowserSessions::SignOut(const Request& request) const {
  if (request.method != "POST") return WrongMethod(request, "POST");
  if (!IsOfOwnPage(request.headers)) {
    return Problem(403, absl::StatusCode::kPermissionDenied,
                   "only this gateway's own page can sign out");
  }
  if (const auto session = Find(request.headers)) {
    service::Log(service::Level::kInfo, "session_closed",
                 {{"caller", session->person ? identity::Name(*session->person) : ""}});
  }
  Response response{.status = 204, .headers = {{"cache-control", "no-store"}}};
  if (const auto cookie = Cookie()) response.headers.Add("set-cookie", cookie->Clear());
  return response;
}

std::optional<BrowserSessions::Session> BrowserSessions::Find(const Headers& headers) const {
  if (!IsOfOwnPage(headers)) return std::nullopt;
  const auto cookie = Cookie();
  const auto token = cookie ? cookie->In(headers) : std::nullopt;
  if (!token) return std::nullopt;
  const Time now = wall_.Now();
  if (auto person = identity::VerifyToken(*token, *keys_, person_rules_, now); person.ok()) {
    return Session{std::move(person->principal)};
  }
  if (has_codes_ && identity::VerifyToken(*token, *keys_, code_rules_, now).ok()) return Session{};
  return std::nullopt;
}

absl::StatusOr<std::string> BrowserSessions::MintToken(const Session& session,
                                                       std::string_view caller) const {
  identity::Principal acting;
  if (session.person && caller.empty()) {
    acting = *session.person;
  } else {
    auto named = identity::ParsePrincipal(caller);
    if (!named.ok()) return named.status();
    acting = *std::move(named);
  }
  if (acting.role == identity::Role::kOperator) {
    return absl::PermissionDeniedError("a browser's session must be a rider, a driver or a viewer");
  }
  if (session.person) {
    if (acting.role == identity::Role::kViewer) acting.id = session.person->id;
    acting.market = session.person->market;
    if (acting.role != identity::Role::kViewer && acting != *session.person) {
      return absl::PermissionDeniedError(
          fmt::format("signed in as {}, who may act as no other rider or driver",
                      identity::Name(*session.person)));
    }
  }
  MutexLock lock(mu_);
  return signer_.Mint(acting, rules_, wall_.Now(), kTokenLifetime);
}

}  // namespace ridestream::gateway
