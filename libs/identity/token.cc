#include "libs/identity/token.h"

#include <algorithm>
#include <optional>

#include "absl/status/status.h"
#include "libs/base/validation.h"
#include "libs/identity/signed_claims.h"

namespace ridestream::identity {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxTokenIdBytes = 255;

bool IsTokenId(std::string_view id) {
  return !id.empty() && id.size() <= kMaxTokenIdBytes &&
         std::all_of(id.begin(), id.end(), [](char c) { return c > ' ' && c <= '~'; });
}

absl::StatusOr<Claims> ReadClaims(const json& claims) {
  const absl::StatusOr<std::optional<Time>> expires_at = TimeClaim(claims, "exp");
  if (!expires_at.ok()) return expires_at.status();
  const std::string_view subject = TextClaim(claims, "sub");
  if (!IsId(subject)) return RefuseToken("'sub' is not a valid id");
  const std::optional<Role> role = RoleFromToken(TextClaim(claims, "role"));
  if (!role) return RefuseToken("'role' is none of rider, driver, operator, viewer");
  Claims result{{*role, std::string(subject)}, {}, **expires_at};
  if (claims.contains("market")) {
    result.principal.market = TextClaim(claims, "market");
    if (!IsId(result.principal.market)) return RefuseToken("'market' is not a valid id");
  }
  if (claims.contains("jti")) {
    result.token_id = TextClaim(claims, "jti");
    if (!IsTokenId(result.token_id)) return RefuseToken("'jti' is not a valid id");
  }
  return result;
}

}  // namespace

absl::StatusOr<Claims> VerifyToken(std::string_view token, const KeySet& keys,
                                   const TokenRules& rules, Time now) {
  const absl::StatusOr<json> claims = VerifySignedClaims(token, keys, rules, now);
  if (!claims.ok()) return claims.status();
  return ReadClaims(*claims);
}

}  // namespace ridestream::identity
