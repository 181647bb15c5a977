#include "libs/identity/signed_claims.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "cjose/jws.h"
#include "libs/identity/base64url.h"
#include "libs/identity/strict_json.h"

namespace ridestream::identity {
namespace {

using nlohmann::json;

/// An ES256 signature is two numbers of 32 bytes (RFC 7518, section 3.4).
constexpr std::size_t kEs256SignatureBytes = 64;
/// The first second of the year 10000.
constexpr double kMaxTimeS = 253'402'300'800.0;

struct Parts {
  std::string header;
  std::string payload;
  std::size_t signature_bytes;
};

absl::StatusOr<Parts> Split(std::string_view token) {
  if (token.size() > kMaxTokenBytes) {
    return RefuseToken(fmt::format("longer than {} bytes", kMaxTokenBytes));
  }
  const std::size_t first = token.find('.');
  const std::size_t second = first == token.npos ? token.npos : token.find('.', first + 1);
  if (second == token.npos || token.find('.', second + 1) != token.npos) {
    return RefuseToken("not three parts separated by dots");
  }
  const std::string_view texts[] = {token.substr(0, first),
                                    token.substr(first + 1, second - first - 1),
                                    token.substr(second + 1)};
  std::string decoded[3];
  for (std::size_t i = 0; i < 3; ++i) {
    std::optional<std::string> part;
    if (!texts[i].empty()) part = DecodeBase64Url(texts[i]);
    if (!part) return RefuseToken("a part is empty or not base64url");
    decoded[i] = *std::move(part);
  }
  return Parts{std::move(decoded[0]), std::move(decoded[1]), decoded[2].size()};
}

absl::StatusOr<const KeySet::Key*> FindKey(const json& header, const KeySet& keys) {
  if (header.contains("crit")) return RefuseToken("'crit' in the header isn't understood");
  if (header.contains("typ") && TextClaim(header, "typ") != "JWT" &&
      TextClaim(header, "typ") != "at+jwt") {
    return RefuseToken("'typ' in the header is neither JWT nor at+jwt");
  }
  const std::string_view algorithm = TextClaim(header, "alg");
  if (algorithm != "ES256" && algorithm != "RS256") {
    return RefuseToken("'alg' in the header is neither ES256 nor RS256");
  }
  const std::string_view kid = TextClaim(header, "kid");
  if (kid.empty()) return RefuseToken("'kid' in the header is missing");
  const KeySet::Key* key = keys.Find(kid);
  if (key == nullptr) return RefuseToken("'kid' names no known key");
  if ((algorithm == "ES256") != (key->algorithm == Algorithm::kEs256)) {
    return RefuseToken("'alg' isn't the algorithm of the key");
  }
  return key;
}

absl::Status VerifySignature(std::string_view token, const KeySet::Key& key) {
  struct Release {
    void operator()(cjose_jws_t* jws) const { cjose_jws_release(jws); }
  };
  cjose_err error{};
  const std::unique_ptr<cjose_jws_t, Release> jws(
      cjose_jws_import(token.data(), token.size(), &error));
  if (jws == nullptr) return RefuseToken("not a signed token");
  // The library chooses the algorithm by its own parse of the header, which must agree with ours.
  const char* read = cjose_header_get(cjose_jws_get_protected(jws.get()), CJOSE_HDR_ALG, &error);
  const std::string_view expected = key.algorithm == Algorithm::kEs256 ? "ES256" : "RS256";
  if (read == nullptr || read != expected) return RefuseToken("'alg' is ambiguous");
  if (!cjose_jws_verify(jws.get(), key.jwk.get(), &error))
    return RefuseToken("the signature is wrong");
  return absl::OkStatus();
}

absl::Status CheckTimes(const json& claims, Duration skew, Time now) {
  const absl::StatusOr<std::optional<Time>> expires_at = TimeClaim(claims, "exp");
  if (!expires_at.ok()) return expires_at.status();
  if (!*expires_at) return RefuseToken("'exp' is missing");
  if (now >= **expires_at + skew) return RefuseToken("expired");
  for (const char* name : {"nbf", "iat"}) {
    const absl::StatusOr<std::optional<Time>> begins_at = TimeClaim(claims, name);
    if (!begins_at.ok()) return begins_at.status();
    if (*begins_at && now + skew < **begins_at) {
      return RefuseToken(fmt::format("'{}' is in the future", name));
    }
  }
  return absl::OkStatus();
}

bool IsFor(const json& claims, const std::string& audience) {
  const auto member = claims.find("aud");
  if (member == claims.end()) return false;
  if (member->is_string()) return *member == audience;
  return member->is_array() && std::find(member->begin(), member->end(), audience) != member->end();
}

}  // namespace

absl::Status RefuseToken(std::string_view reason) {
  return absl::UnauthenticatedError(fmt::format("token: {}", reason));
}

std::string_view TextClaim(const json& claims, const char* name) {
  const auto found = claims.find(name);
  return found != claims.end() && found->is_string() ? found->get_ref<const std::string&>()
                                                     : std::string_view();
}

absl::StatusOr<std::optional<Time>> TimeClaim(const json& claims, const char* name) {
  const auto member = claims.find(name);
  if (member == claims.end()) return std::optional<Time>();
  const double seconds = member->is_number() ? member->get<double>() : -1;
  if (!(seconds >= 0 && seconds < kMaxTimeS)) {
    return RefuseToken(fmt::format("'{}' is not a time", name));
  }
  return Time(Duration(static_cast<Duration::rep>(std::floor(seconds * 1e6))));
}

absl::StatusOr<json> VerifySignedClaims(std::string_view token, const KeySet& keys,
                                        const TokenRules& rules, Time now) {
  const absl::StatusOr<Parts> parts = Split(token);
  if (!parts.ok()) return parts.status();
  const absl::StatusOr<json> header = ParseStrictJson(parts->header);
  if (!header.ok()) return RefuseToken("the header isn't one JSON object with unique names");
  const absl::StatusOr<const KeySet::Key*> key = FindKey(*header, keys);
  if (!key.ok()) return key.status();
  // The library splits the signature in halves, so an extra byte would go unnoticed.
  if ((*key)->algorithm == Algorithm::kEs256 && parts->signature_bytes != kEs256SignatureBytes) {
    return RefuseToken("the signature is wrong");
  }
  if (absl::Status status = VerifySignature(token, **key); !status.ok()) return status;
  absl::StatusOr<json> claims = ParseStrictJson(parts->payload);
  if (!claims.ok()) return RefuseToken("the claims aren't one JSON object with unique names");
  if (rules.issuer.empty() || TextClaim(*claims, "iss") != rules.issuer) {
    return RefuseToken("'iss' isn't the issuer");
  }
  if (rules.audience.empty() || !IsFor(*claims, rules.audience)) {
    return RefuseToken("'aud' isn't this system");
  }
  if (absl::Status status = CheckTimes(*claims, rules.clock_skew, now); !status.ok()) return status;
  return claims;
}

}  // namespace ridestream::identity
