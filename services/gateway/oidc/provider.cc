#include "services/gateway/oidc/provider.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "libs/identity/key_set.h"
#include "libs/identity/reloaded_file.h"
#include "libs/identity/signed_claims.h"
#include "libs/identity/strict_json.h"
#include "libs/identity/token.h"

namespace ridestream::gateway {
namespace {

using identity::TextClaim;
using nlohmann::json;

constexpr std::size_t kMaxResponseBytes = 256 << 10;
constexpr std::size_t kMaxSecretBytes = 4 << 10;
constexpr std::size_t kMaxUrlBytes = 2 << 10;
constexpr std::chrono::minutes kDiscoveryLifetime{10};

/// An https URL that can stand in a header field and takes a query.
bool IsEndpoint(std::string_view url) {
  return identity::IsHttpsUrl(std::string(url)) && url.size() <= kMaxUrlBytes &&
         std::all_of(url.begin(), url.end(),
                     [](char c) { return c > ' ' && c <= '~' && c != '#'; });
}

absl::Status Unusable(std::string_view url, std::string_view reason) {
  return absl::UnavailableError(fmt::format("{}: {}", url, reason));
}

absl::Status Unusable(std::string_view url, const absl::Status& status) {
  return Unusable(url, std::string_view(status.message().data(), status.message().size()));
}

absl::StatusOr<std::string> ReadSecret(const std::string& path) {
  auto secret = identity::ReadWholeFile(path, kMaxSecretBytes);
  if (secret.ok()) {
    while (!secret->empty() && (secret->back() == '\n' || secret->back() == '\r')) {
      secret->pop_back();
    }
    if (!secret->empty()) return secret;
  }
  return absl::FailedPreconditionError(
      fmt::format("--oidc_client_secret={}: {}", path,
                  secret.ok() ? "is empty" : std::string(secret.status().message())));
}

}  // namespace

std::string_view KnownOidcError(std::string_view error) {
  constexpr std::string_view kKnown[] = {
      // RFC 6749, sections 4.1.2.1 and 5.2.
      "access_denied", "invalid_client", "invalid_grant", "invalid_request", "invalid_scope",
      "server_error", "temporarily_unavailable", "unauthorized_client", "unsupported_grant_type",
      "unsupported_response_type",
      // OpenID Connect Core 1.0, section 3.1.2.6.
      "account_selection_required", "consent_required", "interaction_required", "login_required"};
  const auto* const found = std::find(std::begin(kKnown), std::end(kKnown), error);
  return found == std::end(kKnown) ? "unknown" : *found;
}

absl::StatusOr<std::unique_ptr<OidcProvider>> OidcProvider::Make(Options options,
                                                                 const Clock& wall) {
  if (!IsEndpoint(options.issuer) || options.issuer.find('?') != std::string::npos) {
    return absl::InvalidArgumentError(fmt::format(
        "--oidc_issuer={}: must be an https URL without a query or fragment", options.issuer));
  }
  if (options.client_id.empty()) {
    return absl::InvalidArgumentError("--oidc_client_id: --oidc_issuer needs it");
  }
  if (!options.client_secret_file.empty()) {
    if (const auto secret = ReadSecret(options.client_secret_file); !secret.ok()) {
      return secret.status();
    }
  }
  auto client = identity::HttpsClient::Make({.authorities = options.authorities,
                                             .max_bytes = kMaxResponseBytes,
                                             .timeout = options.timeout});
  if (!client.ok()) return client.status();
  return std::unique_ptr<OidcProvider>(
      new OidcProvider(std::move(options), wall, *std::move(client)));
}

absl::StatusOr<std::string> OidcProvider::AuthorizationEndpoint() {
  if (absl::Status status = Discover(); !status.ok()) return status;
  return endpoints_->authorization;
}

absl::Status OidcProvider::Discover() {
  if (endpoints_ && wall_.Now() - endpoints_->read_at < kDiscoveryLifetime) {
    return absl::OkStatus();
  }
  std::string url = options_.issuer;
  if (url.ends_with('/')) url.pop_back();
  url += "/.well-known/openid-configuration";
  const auto text = Get(url);
  if (!text.ok()) return text.status();
  const auto document = identity::ParseStrictJson(*text);
  if (!document.ok()) return Unusable(url, "is not one JSON object with unique names");
  auto endpoints = ReadDiscovery(*document);
  if (!endpoints.ok()) return Unusable(url, endpoints.status());
  endpoints_ = *std::move(endpoints);
  return absl::OkStatus();
}

absl::StatusOr<OidcProvider::Endpoints> OidcProvider::ReadDiscovery(const json& document) const {
  if (TextClaim(document, "issuer") != options_.issuer) {
    return absl::UnavailableError(
        fmt::format("'issuer' is not --oidc_issuer={}, byte for byte", options_.issuer));
  }
  Endpoints endpoints{.authorization = std::string(TextClaim(document, "authorization_endpoint")),
                      .token = std::string(TextClaim(document, "token_endpoint")),
                      .keys = std::string(TextClaim(document, "jwks_uri")),
                      .read_at = wall_.Now()};
  for (const std::string& url : {endpoints.authorization, endpoints.token, endpoints.keys}) {
    if (!IsEndpoint(url)) {
      return absl::UnavailableError(
          "'authorization_endpoint', 'token_endpoint' and 'jwks_uri' must be https URLs");
    }
  }
  if (options_.client_secret_file.empty()) return endpoints;
  const auto methods = document.find("token_endpoint_auth_methods_supported");
  const auto supports = [&](const char* method) {
    return methods != document.end() && methods->is_array() &&
           std::find(methods->begin(), methods->end(), method) != methods->end();
  };
  // Basic authentication is the default (Discovery 1.0, section 3).
  if (methods == document.end() || supports("client_secret_basic")) {
    endpoints.authentication = ClientAuthentication::kBasic;
  } else if (supports("client_secret_post")) {
    endpoints.authentication = ClientAuthentication::kPost;
  } else {
    return absl::UnavailableError(
        "supports neither client_secret_basic nor client_secret_post, the ways in which the "
        "gateway sends --oidc_client_secret");
  }
  return endpoints;
}

absl::StatusOr<std::string> OidcProvider::Get(const std::string& url) {
  auto response = client_->Send({.url = url});
  if (!response.ok()) return Unusable(url, response.status());
  if (response->status != 200) {
    return Unusable(url, fmt::format("answers with the status {}", response->status));
  }
  return std::move(response->body);
}

absl::StatusOr<std::string> OidcProvider::RequestIdToken(const Grant& grant) {
  identity::HttpsRequest request{.url = endpoints_->token,
                                 .form = {{"grant_type", "authorization_code"},
                                          {"code", grant.code},
                                          {"redirect_uri", grant.redirect_uri},
                                          {"code_verifier", grant.code_verifier}}};
  std::string secret;
  if (!options_.client_secret_file.empty()) {
    auto read = ReadSecret(options_.client_secret_file);
    if (!read.ok()) return read.status();
    secret = *std::move(read);
  }
  if (endpoints_->authentication == ClientAuthentication::kBasic) {
    // RFC 6749, section 2.3.1: both are encoded as a form's values first.
    request.user = identity::EncodeFormValue(options_.client_id);
    request.password = identity::EncodeFormValue(secret);
  } else {
    request.form.emplace_back("client_id", options_.client_id);
    if (!secret.empty()) request.form.emplace_back("client_secret", secret);
  }
  const auto response = client_->Send(request);
  if (!response.ok()) return Unusable(endpoints_->token, response.status());
  const auto body = identity::ParseStrictJson(response->body);
  if (response->status >= 400 && response->status < 500 && response->status != 429) {
    const std::string_view error =
        KnownOidcError(body.ok() ? TextClaim(*body, "error") : std::string_view());
    if (error == "invalid_client" || error == "unauthorized_client") {
      return absl::FailedPreconditionError(fmt::format(
          "{}: {}; check --oidc_client_id and --oidc_client_secret", endpoints_->token, error));
    }
    return absl::PermissionDeniedError(
        fmt::format("{}: refuses the code: {}", endpoints_->token, error));
  }
  if (response->status != 200) {
    return Unusable(endpoints_->token, fmt::format("answers with the status {}", response->status));
  }
  std::string token(body.ok() ? TextClaim(*body, "id_token") : std::string_view());
  if (token.empty()) return Unusable(endpoints_->token, "sends no JSON with an 'id_token'");
  return token;
}

absl::Status OidcProvider::CheckIdToken(const json& claims, const std::string& nonce) const {
  if (nonce.empty() || TextClaim(claims, "nonce") != nonce) {
    return identity::RefuseToken("'nonce' isn't that of this sign-in");
  }
  // OpenID Connect Core 1.0, section 3.1.3.7, steps 4 and 5.
  const auto audience = claims.find("aud");
  const bool has_others = audience->is_array() && audience->size() > 1;
  if ((has_others || claims.contains("azp")) && TextClaim(claims, "azp") != options_.client_id) {
    return identity::RefuseToken("'azp' isn't this client");
  }
  return absl::OkStatus();
}

absl::StatusOr<json> OidcProvider::Redeem(const Grant& grant) {
  if (absl::Status status = Discover(); !status.ok()) return status;
  const auto token = RequestIdToken(grant);
  if (!token.ok()) return token.status();
  // Read for each sign-in, after the code was accepted, so that a rotated key is known at once and
  // strangers can't cause these requests.
  const auto jwks = Get(endpoints_->keys);
  if (!jwks.ok()) return jwks.status();
  const auto keys = identity::KeySet::Parse(*jwks);
  if (!keys.ok()) return Unusable(endpoints_->keys, keys.status());
  auto claims = identity::VerifySignedClaims(
      *token, **keys, {.issuer = options_.issuer, .audience = options_.client_id}, wall_.Now());
  if (!claims.ok()) return claims.status();
  if (absl::Status status = CheckIdToken(*claims, grant.nonce); !status.ok()) return status;
  return claims;
}

}  // namespace ridestream::gateway
