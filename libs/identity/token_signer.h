#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "libs/base/clock.h"
#include "libs/identity/key_set.h"
#include "libs/identity/principal.h"
#include "libs/identity/token.h"

namespace ridestream::identity {

/// 32 random hexadecimal digits, fit for a `kid` or a `jti`.
absl::StatusOr<std::string> RandomId();

/// Signs tokens with a key of its own, for development and tests; in production an OIDC provider
/// does. Thread-compatible.
class TokenSigner {
 public:
  /// A new key, on P-256 or of 2,048 bits, known by `kid`.
  static absl::StatusOr<TokenSigner> Generate(Algorithm algorithm, const std::string& kid);
  /// Takes what PrivateJwk returned. INVALID_ARGUMENT when `jwk` is something else.
  static absl::StatusOr<TokenSigner> FromPrivateJwk(std::string_view jwk);

  /// The private key as a JWK. Secret.
  std::string PrivateJwk() const;
  /// The public key as a JWKS, which KeySet reads.
  std::string PublicJwks() const;

  /// A token for `principal`, from `now` for `lifetime`, with a random `jti`, that these rules
  /// accept.
  absl::StatusOr<std::string> Mint(const Principal& principal, const TokenRules& rules, Time now,
                                   std::chrono::seconds lifetime) const;
  /// Signs `payload` as it is, with `header` (a JSON object of texts, objects and lists) and this
  /// key's algorithm and `kid` where the header doesn't name others.
  absl::StatusOr<std::string> Sign(std::string_view header, std::string_view payload) const;

 private:
  TokenSigner(KeySet::Key key, std::string kid) : key_(std::move(key)), kid_(std::move(kid)) {}

  KeySet::Key key_;
  std::string kid_;
};

}  // namespace ridestream::identity
