#include "libs/identity/token.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "cjose/jws.h"
#include "libs/base/validation.h"
#include "libs/identity/base64url.h"
#include "libs/identity/strict_json.h"

namespace ridestream::identity {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxTokenIdBytes = 255;
/// An ES256 signature is two numbers of 32 bytes (RFC 7518, section 3.4).
constexpr std::size_t kEs256SignatureBytes = 64;
/// The first second of the year 10000.
constexpr double kMaxTimeS = 253'402'300'800.0;

absl::Status Refuse(std::string_view reason) {
  return absl::UnauthenticatedError(fmt::format("token: {}", reason));
}

struct Parts {
  std::string header;
  std::string payload;
  std::size_t signature_bytes;
};

absl::StatusOr<Parts> Split(std::string_view token) {
  if (token.size() > kMaxTokenBytes) {
    return Refuse(fmt::format("longer than {} bytes", kMaxTokenBytes));
  }
  const std::size_t first = token.find('.');
  const std::size_t second = first == token.npos ? token.npos : token.find('.', first + 1);
  if (second == token.npos || token.find('.', second + 1) != token.npos) {
    return Refuse("not three parts separated by dots");
  }
  const std::string_view texts[] = {token.substr(0, first),
                                    token.substr(first + 1, second - first - 1),
                                    token.substr(second + 1)};
  std::string decoded[3];
  for (std::size_t i = 0; i < 3; ++i) {
    std::optional<std::string> part;
    if (!texts[i].empty()) part = DecodeBase64Url(texts[i]);
    if (!part) return Refuse("a part is empty or not base64url");
    decoded[i] = *std::move(part);
  }
  return Parts{std::move(decoded[0]), std::move(decoded[1]), decoded[2].size()};
}

/// nullptr when it is absent.
const json* Member(const json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}

/// Empty when it is absent or no text.
std::string_view Text(const json& object, const char* name) {
  const json* member = Member(object, name);
  return member != nullptr && member->is_string() ? member->get_ref<const std::string&>()
                                                  : std::string_view();
}

absl::StatusOr<const KeySet::Key*> FindKey(const json& header, const KeySet& keys) {
  if (Member(header, "crit") != nullptr) return Refuse("'crit' in the header isn't understood");
  if (Member(header, "typ") != nullptr && Text(header, "typ") != "JWT" &&
      Text(header, "typ") != "at+jwt") {
    return Refuse("'typ' in the header is neither JWT nor at+jwt");
  }
  const std::string_view algorithm = Text(header, "alg");
  if (algorithm != "ES256" && algorithm != "RS256") {
    return Refuse("'alg' in the header is neither ES256 nor RS256");
  }
  const std::string_view kid = Text(header, "kid");
  if (kid.empty()) return Refuse("'kid' in the header is missing");
  const KeySet::Key* key = keys.Find(kid);
  if (key == nullptr) return Refuse("'kid' names no known key");
  if ((algorithm == "ES256") != (key->algorithm == Algorithm::kEs256)) {
    return Refuse("'alg' isn't the algorithm of the key");
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
  if (jws == nullptr) return Refuse("not a signed token");
  // The library chooses the algorithm by its own reading of the header: both must have read the
  // same.
  const char* read = cjose_header_get(cjose_jws_get_protected(jws.get()), CJOSE_HDR_ALG, &error);
  const std::string_view expected = key.algorithm == Algorithm::kEs256 ? "ES256" : "RS256";
  if (read == nullptr || read != expected) return Refuse("'alg' is ambiguous");
  if (!cjose_jws_verify(jws.get(), key.jwk.get(), &error)) return Refuse("the signature is wrong");
  return absl::OkStatus();
}

/// A NumericDate; nothing when it is absent.
absl::StatusOr<std::optional<Time>> TimeClaim(const json& claims, const char* name) {
  const json* member = Member(claims, name);
  if (member == nullptr) return std::optional<Time>();
  const double seconds = member->is_number() ? member->get<double>() : -1;
  if (!(seconds >= 0 && seconds < kMaxTimeS)) {
    return Refuse(fmt::format("'{}' is not a time", name));
  }
  return Time(Duration(static_cast<Duration::rep>(std::floor(seconds * 1e6))));
}

absl::StatusOr<Time> CheckTimes(const json& claims, Duration skew, Time now) {
  const absl::StatusOr<std::optional<Time>> expires_at = TimeClaim(claims, "exp");
  if (!expires_at.ok()) return expires_at.status();
  if (!*expires_at) return Refuse("'exp' is missing");
  if (now >= **expires_at + skew) return Refuse("expired");
  for (const char* name : {"nbf", "iat"}) {
    const absl::StatusOr<std::optional<Time>> begins_at = TimeClaim(claims, name);
    if (!begins_at.ok()) return begins_at.status();
    if (*begins_at && now + skew < **begins_at) {
      return Refuse(fmt::format("'{}' is in the future", name));
    }
  }
  return **expires_at;
}

bool IsFor(const json& claims, const std::string& audience) {
  const json* member = Member(claims, "aud");
  if (member == nullptr) return false;
  if (member->is_string()) return *member == audience;
  return member->is_array() && std::find(member->begin(), member->end(), audience) != member->end();
}

bool IsTokenId(std::string_view id) {
  return !id.empty() && id.size() <= kMaxTokenIdBytes &&
         std::all_of(id.begin(), id.end(), [](char c) { return c > ' ' && c <= '~'; });
}

absl::StatusOr<Claims> ReadClaims(const json& claims, const TokenRules& rules, Time now) {
  if (rules.issuer.empty() || Text(claims, "iss") != rules.issuer) {
    return Refuse("'iss' isn't the issuer");
  }
  if (rules.audience.empty() || !IsFor(claims, rules.audience)) {
    return Refuse("'aud' isn't this system");
  }
  const absl::StatusOr<Time> expires_at = CheckTimes(claims, rules.clock_skew, now);
  if (!expires_at.ok()) return expires_at.status();
  const std::string_view subject = Text(claims, "sub");
  if (!IsId(subject)) return Refuse("'sub' is not a valid id");
  const std::optional<Role> role = RoleFromToken(Text(claims, "role"));
  if (!role) return Refuse("'role' is none of rider, driver, operator, viewer");
  Claims result{{*role, std::string(subject)}, {}, *expires_at};
  if (Member(claims, "market") != nullptr) {
    result.principal.market = Text(claims, "market");
    if (!IsId(result.principal.market)) return Refuse("'market' is not a valid id");
  }
  if (Member(claims, "jti") != nullptr) {
    result.token_id = Text(claims, "jti");
    if (!IsTokenId(result.token_id)) return Refuse("'jti' is not a valid id");
  }
  return result;
}

}  // namespace

absl::StatusOr<Claims> VerifyToken(std::string_view token, const KeySet& keys,
                                   const TokenRules& rules, Time now) {
  const absl::StatusOr<Parts> parts = Split(token);
  if (!parts.ok()) return parts.status();
  const absl::StatusOr<json> header = ParseStrictJson(parts->header);
  if (!header.ok()) return Refuse("the header isn't one JSON object with unique names");
  const absl::StatusOr<const KeySet::Key*> key = FindKey(*header, keys);
  if (!key.ok()) return key.status();
  // The library reads half of the bytes as each number, so that one more goes unnoticed.
  if ((*key)->algorithm == Algorithm::kEs256 && parts->signature_bytes != kEs256SignatureBytes) {
    return Refuse("the signature is wrong");
  }
  if (absl::Status status = VerifySignature(token, **key); !status.ok()) return status;
  const absl::StatusOr<json> claims = ParseStrictJson(parts->payload);
  if (!claims.ok()) return Refuse("the claims aren't one JSON object with unique names");
  return ReadClaims(*claims, rules, now);
}

}  // namespace ridestream::identity
