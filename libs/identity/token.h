#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "libs/base/clock.h"
#include "libs/identity/key_set.h"
#include "libs/identity/principal.h"

namespace ridestream::identity {

/// Longer tokens are refused unread.
inline constexpr std::size_t kMaxTokenBytes = 8 << 10;

/// Claims that a token must have.
struct TokenRules {
  /// The claim `iss`, byte for byte.
  std::string issuer;
  /// The claim `aud`, or one entry of it.
  std::string audience;
  /// By how much the issuer's clock and ours may differ.
  Duration clock_skew = std::chrono::minutes(1);
};

/// The claims of a valid token.
struct Claims {
  Principal principal;
  /// The claim `jti`; may be empty.
  std::string token_id;
  /// The claim `exp`, without the skew.
  Time expires_at;
};

/// Verifies a signed JWT (RFC 7519 in JWS compact form) against `keys` and `rules` at the wall time
/// `now`. The algorithm is that of the key which the token's `kid` names; `crit` isn't understood.
/// `sub` is an id, `role` one of RoleFromToken, `exp` is required; `nbf`, `iat`, `jti` and `market`
/// are checked where present.
///
/// UNAUTHENTICATED with the first thing that is wrong. The message never contains any of the token,
/// so it may be logged and sent to the caller.
absl::StatusOr<Claims> VerifyToken(std::string_view token, const KeySet& keys,
                                   const TokenRules& rules, Time now);

}  // namespace ridestream::identity
