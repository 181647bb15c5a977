#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "libs/base/clock.h"
#include "libs/identity/key_set.h"
#include "libs/identity/principal.h"

namespace ridestream::identity {

/// Longer tokens are refused without parsing.
inline constexpr std::size_t kMaxTokenBytes = 8 << 10;

/// Requirements on a token's claims.
struct TokenRules {
  /// The claim `iss`, byte for byte.
  std::string issuer;
  /// The claim `aud`, or one entry of it.
  std::string audience;
  /// Tolerated difference between the issuer's clock and ours.
  Duration clock_skew = std::chrono::minutes(1);
};

/// The claims of a valid token.
struct Claims {
  Principal principal;
  /// The claim `jti`; may be empty.
  std::string token_id;
  /// The claim `exp`, without the tolerance for clock skew.
  Time expires_at;
};

/// Verifies a signed JWT (RFC 7519 in JWS compact form) against `keys` and `rules` at the wall time
/// `now`. The algorithm is that of the key that the token's `kid` names; tokens with `crit` are
/// refused. `sub` must be an id, `role` one of RoleFromToken, and `exp` is required; `nbf`, `iat`,
/// `jti` and `market` are checked where present.
///
/// UNAUTHENTICATED with the first fault. The message never contains any part of the token, so it
/// may be logged and sent to the caller.
absl::StatusOr<Claims> VerifyToken(std::string_view token, const KeySet& keys,
                                   const TokenRules& rules, Time now);

}  // namespace ridestream::identity
