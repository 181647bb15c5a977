#include "services/gateway/oidc/oidc_sign_in.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <map>
#include <optional>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_split.h"
#include "libs/identity/signed_claims.h"
#include "libs/rpc/rate_limiter.h"
#include "libs/service/service.h"
#include "services/gateway/http/hosts.h"
#include "services/gateway/http/origins.h"
#include "services/gateway/http/problem.h"
#include "services/gateway/http/query.h"

namespace ridestream::gateway {
namespace {

using identity::TextClaim;
using nlohmann::json;

constexpr std::size_t kMaxCodeBytes = 4 << 10;

/// Takes the same time for all wrong texts of one length.
bool SameSecret(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

/// RFC 7636, section 4.2, method S256.
std::string CodeChallenge(const std::string& verifier) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(verifier.data()), verifier.size(), digest);
  return absl::WebSafeBase64Escape(
      absl::string_view(reinterpret_cast<const char*>(digest), sizeof digest));
}

/// Nothing if a name occurs twice.
std::optional<std::map<std::string, std::string>> UniqueFields(std::string_view query) {
  std::map<std::string, std::string> fields;
  for (auto& parameter : ParseQuery(query)) {
    if (!fields.insert(std::move(parameter)).second) return std::nullopt;
  }
  return fields;
}

bool HasScope(const std::string& scopes, std::string_view wanted) {
  for (const absl::string_view each : absl::StrSplit(scopes, ' ', absl::SkipEmpty())) {
    if (std::string_view(each.data(), each.size()) == wanted) return true;
  }
  return false;
}

SignInFailure FailureOf(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kPermissionDenied:
      return SignInFailure::kProviderRefused;
    case absl::StatusCode::kUnauthenticated:
      return SignInFailure::kTokenRefused;
    case absl::StatusCode::kUnavailable:
      return SignInFailure::kProviderUnavailable;
    case absl::StatusCode::kResourceExhausted:
      return SignInFailure::kBusy;
    default:
      return SignInFailure::kMisconfigured;
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<OidcSignIn>> OidcSignIn::Make(Options options,
                                                             identity::TokenSigner signer,
                                                             const identity::TokenRules& rules,
                                                             BrowserSessions& sessions,
                                                             const Clock& wall) {
  if (!HasScope(options.scope, "openid")) {
    return absl::InvalidArgumentError(
        fmt::format("--oidc_scope={}: must contain openid", options.scope));
  }
  for (const auto& [flag, name] : {std::pair("oidc_subject_claim", options.claims.subject),
                                   std::pair("oidc_role_claim", options.claims.role)}) {
    if (absl::Status status = CheckClaimName(name); !status.ok()) {
      return absl::Status(status.code(),
                          fmt::format("--{}={}: {}", flag, name, std::string(status.message())));
    }
  }
  auto keys = identity::KeySet::Parse(signer.PublicJwks());
  if (!keys.ok()) return keys.status();
  auto provider = OidcProvider::Make(options.provider, wall);
  if (!provider.ok()) return provider.status();
  return std::unique_ptr<OidcSignIn>(new OidcSignIn(std::move(options), *std::move(provider),
                                                    std::move(signer), rules, *std::move(keys),
                                                    sessions, wall));
}

OidcSignIn::OidcSignIn(Options options, std::unique_ptr<OidcProvider> provider,
                       identity::TokenSigner signer, const identity::TokenRules& rules,
                       std::shared_ptr<const identity::KeySet> keys, BrowserSessions& sessions,
                       const Clock& wall)
    : options_(std::move(options)),
      wall_(wall),
      // An audience of its own: neither a token nor a session is taken for the cookie.
      rules_{.issuer = rules.issuer,
             .audience = rules.audience + "-sign-in",
             .clock_skew = Duration::zero()},
      keys_(std::move(keys)),
      sessions_(sessions),
      signer_(std::move(signer)),
      provider_(std::move(provider)),
      worker_(std::make_unique<TimerQueue>()) {}

OidcSignIn::~OidcSignIn() { Stop(); }

void OidcSignIn::Stop() {
  provider_->Stop();
  std::unique_ptr<TimerQueue> worker;
  {
    MutexLock lock(mu_);
    worker = std::move(worker_);
  }
}

absl::Status OidcSignIn::SetOrigin(std::string origin) {
  if (origin.ends_with('/')) origin.pop_back();
  // Browsers leave the scheme's own port out of Host.
  for (const auto& [scheme, port] : {std::pair(kHttps, ":443"), std::pair(kHttp, ":80")}) {
    if (origin.starts_with(scheme) && origin.ends_with(port)) {
      origin.resize(origin.size() - std::string_view(port).size());
    }
  }
  const std::string_view authority = AfterScheme(origin);
  const auto host = HostName(authority);
  const bool is_origin = host && authority.find_first_of("/?#@\\ \"'<>&") == std::string_view::npos;
  if (!is_origin || (!origin.starts_with(kHttps) && !IsLoopback(*host))) {
    return absl::InvalidArgumentError(
        fmt::format("--public_url={}: sign-in by OIDC needs the map's public address, such as "
                    "https://ride.example. Plain http is for loopback alone",
                    origin));
  }
  MutexLock lock(mu_);
  origin_ = std::move(origin);
  return absl::OkStatus();
}

std::string OidcSignIn::Origin() const {
  MutexLock lock(mu_);
  return origin_;
}

absl::StatusOr<std::string> OidcSignIn::Seal(const Attempt& attempt) const {
  const auto seconds = [](Time time) {
    return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  };
  const json claims{
      {"iss", rules_.issuer},   {"aud", rules_.audience}, {"exp", seconds(wall_.Now() + kLifetime)},
      {"state", attempt.state}, {"nonce", attempt.nonce}, {"code_verifier", attempt.code_verifier}};
  MutexLock lock(signer_mu_);
  return signer_.Sign(R"({"typ":"JWT"})", claims.dump());
}

absl::StatusOr<OidcSignIn::Attempt> OidcSignIn::Unseal(const Request& request) const {
  const auto sealed = Cookie().In(request.headers);
  if (!sealed) return absl::UnauthenticatedError("the browser has no cookie of a sign-in, or two");
  const auto claims = identity::VerifySignedClaims(*sealed, *keys_, rules_, wall_.Now());
  if (!claims.ok()) return claims.status();
  return Attempt{.state = std::string(TextClaim(*claims, "state")),
                 .nonce = std::string(TextClaim(*claims, "nonce")),
                 .code_verifier = std::string(TextClaim(*claims, "code_verifier"))};
}

HostCookie OidcSignIn::Cookie() const {
  // Lax: the cookie must come back when the provider's page leads here.
  return {"ridestream-sign-in", Origin(), HostCookie::SameSite::kLax};
}

void OidcSignIn::RespondFromWorker(const std::shared_ptr<Exchange>& exchange,
                                   std::function<Response()> respond) {
  const auto begin = std::chrono::steady_clock::now();
  {
    MutexLock lock(mu_);
    if (worker_ != nullptr && waiting_ < options_.max_waiting) {
      ++waiting_;
      worker_->After(std::chrono::nanoseconds(0), [this, exchange, begin,
                                                   respond = std::move(respond)] {
        const bool is_late = std::chrono::steady_clock::now() - begin > options_.max_wait;
        Response response =
            is_late ? Refuse(SignInFailure::kBusy, "waited too long for the provider") : respond();
        {
          MutexLock ended(mu_);
          --waiting_;
        }
        exchange->Post([exchange, response = std::move(response)]() mutable {
          exchange->Send(std::move(response));
        });
      });
      return;
    }
  }
  exchange->Send(Refuse(SignInFailure::kBusy, "too many sign-ins wait for the provider"));
}

void OidcSignIn::Start(const std::shared_ptr<Exchange>& exchange) {
  const Request& request = exchange->request();
  if (request.method != "GET") return exchange->Send(WrongMethod(request, "GET"));
  // The provider sends the browser back to the origin, where it must have the cookie.
  const std::string origin = Origin();
  if (!SameName(request.headers.Get("host"), AfterScheme(origin))) {
    return exchange->Send(
        Refuse(SignInFailure::kOtherHost, fmt::format("begun under another name than {}", origin)));
  }
  RespondFromWorker(exchange, [this] { return SendToProvider(); });
}

Response OidcSignIn::SendToProvider() {
  const auto endpoint = provider_->AuthorizationEndpoint();
  if (!endpoint.ok()) return Refuse(endpoint.status());
  std::string random[4];
  for (std::string& each : random) {
    auto id = identity::RandomId();
    if (!id.ok()) return Refuse(id.status());
    each = *std::move(id);
  }
  const Attempt attempt{
      .state = random[0], .nonce = random[1], .code_verifier = random[2] + random[3]};
  const auto cookie = Seal(attempt);
  if (!cookie.ok()) return Refuse(cookie.status());
  const std::string query =
      identity::EncodeForm({{"response_type", "code"},
                            {"client_id", options_.provider.client_id},
                            {"redirect_uri", RedirectUri()},
                            {"scope", options_.scope},
                            {"state", attempt.state},
                            {"nonce", attempt.nonce},
                            {"code_challenge", CodeChallenge(attempt.code_verifier)},
                            {"code_challenge_method", "S256"}});
  const char separator = endpoint->find('?') == std::string::npos ? '?' : '&';
  return {.status = 303,
          .headers = {{"location", fmt::format("{}{}{}", *endpoint, separator, query)},
                      {"cache-control", "no-store"},
                      {"set-cookie", Cookie().Set(*cookie, kLifetime)}}};
}

void OidcSignIn::Finish(const std::shared_ptr<Exchange>& exchange) {
  const Request& request = exchange->request();
  if (request.method != "GET") return exchange->Send(WrongMethod(request, "GET"));
  const auto refuse = [&](SignInFailure failure, std::string_view reason) {
    exchange->Send(Refuse(failure, reason));
  };
  auto attempt = Unseal(request);
  if (!attempt.ok()) {
    const absl::string_view reason = attempt.status().message();
    return refuse(SignInFailure::kNotBegun, {reason.data(), reason.size()});
  }
  auto query = UniqueFields(request.query);
  if (!query) return refuse(SignInFailure::kNotBegun, "the callback has a parameter twice");
  auto& fields = *query;
  if (!SameSecret(fields["state"], attempt->state)) {
    return refuse(SignInFailure::kNotBegun, "'state' isn't that of this browser's sign-in");
  }
  // RFC 9207: the response of another provider is not taken for this one's.
  if (fields.contains("iss") && fields["iss"] != options_.provider.issuer) {
    return refuse(SignInFailure::kNotBegun, "'iss' in the callback isn't --oidc_issuer");
  }
  if (fields.contains("error")) {
    const std::string_view error = KnownOidcError(fields["error"]);
    return refuse(
        error == "access_denied" ? SignInFailure::kDenied : SignInFailure::kProviderRefused,
        fmt::format("the provider reports the error {}", error));
  }
  const std::string& code = fields["code"];
  if (code.empty() || code.size() > kMaxCodeBytes) {
    return refuse(SignInFailure::kProviderRefused,
                  fmt::format("the callback has no code of 1 to {} bytes", kMaxCodeBytes));
  }
  RespondFromWorker(exchange,
                    [this, grant = OidcProvider::Grant{
                               .code = code,
                               .code_verifier = std::move(attempt->code_verifier),
                               .redirect_uri = RedirectUri(),
                               .nonce = std::move(attempt->nonce)}] { return Redeem(grant); });
}

Response OidcSignIn::Redeem(const OidcProvider::Grant& grant) {
  const auto claims = provider_->Redeem(grant);
  if (!claims.ok()) return Refuse(claims.status());
  const auto person = PersonOf(*claims, options_.claims);
  if (!person.ok()) return Refuse(person.status());
  const auto session = sessions_.Open(*person);
  if (!session.ok()) return Refuse(session.status());
  return {.status = 303,
          .headers = {{"location", "/"},
                      {"cache-control", "no-store"},
                      {"set-cookie", *session},
                      {"set-cookie", Cookie().Clear()}}};
}

Response OidcSignIn::Refuse(const absl::Status& status) const {
  const absl::string_view reason = status.message();
  return Refuse(FailureOf(status.code()), {reason.data(), reason.size()});
}

Response OidcSignIn::Refuse(SignInFailure failure, std::string_view reason) const {
  LogRefusedSignIn(reason);
  Response response = SignInFailurePage(failure, Origin());
  // A sign-in is tried once: the next has its own state. A forged callback doesn't end one, though.
  if (failure != SignInFailure::kNotBegun && failure != SignInFailure::kOtherHost) {
    response.headers.Add("set-cookie", Cookie().Clear());
  }
  return response;
}

}  // namespace ridestream::gateway
