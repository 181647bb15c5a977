#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/identity/principal.h"
#include "nlohmann/json.hpp"

namespace ridestream::gateway {

/// Which claims of an ID token say who a person is.
struct ClaimNames {
  /// A claim's name, or, if it begins with '/', a JSON pointer (RFC 6901) into the claims.
  std::string subject = "sub";
  std::string role = "role";
};

/// INVALID_ARGUMENT for an empty name and a malformed pointer.
absl::Status CheckClaimName(const std::string& name);

/// The person that the claims of a verified ID token describe:
///  * id: the subject claim, a text of 1 to 255 bytes. A text that is no id (see IsId), such as
///    "auth0|62f", becomes the SHA-256 of it in hexadecimal.
///  * role: rider or driver, if the role claim is that text or a list that contains exactly one of
///    the two. A viewer in all other cases; never an operator.
///  * market: the claim `market`, if present; it must be an id.
/// UNAUTHENTICATED if the subject is missing or too long, or the market is no id. The names have
/// passed CheckClaimName.
absl::StatusOr<identity::Principal> PersonOf(const nlohmann::json& claims, const ClaimNames& names);

}  // namespace ridestream::gateway
