#pragma once

#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/base/clock.h"
#include "libs/identity/key_set.h"
#include "libs/identity/token.h"
#include "nlohmann/json.hpp"

namespace ridestream::identity {

/// Returns all claims of a signed JWT (RFC 7519 in JWS compact form) after verifying its signature,
/// `iss`, `aud`, `exp` and, where present, `nbf` and `iat`, as VerifyToken describes. No other
/// claim is checked, so it also serves for tokens that don't name a caller by `sub` and `role`,
/// such as the ID tokens of OIDC providers.
///
/// UNAUTHENTICATED with the first fault. The message never contains any part of the token.
absl::StatusOr<nlohmann::json> VerifySignedClaims(std::string_view token, const KeySet& keys,
                                                  const TokenRules& rules, Time now);

/// UNAUTHENTICATED with `reason`, which must contain no part of the token.
absl::Status RefuseToken(std::string_view reason);

/// The claim as text; empty if it is absent or isn't a string. Valid as long as `claims`.
std::string_view TextClaim(const nlohmann::json& claims, const char* name);

/// The claim as a time (NumericDate); nullopt if it is absent. UNAUTHENTICATED if it isn't a time.
absl::StatusOr<std::optional<Time>> TimeClaim(const nlohmann::json& claims, const char* name);

}  // namespace ridestream::identity
