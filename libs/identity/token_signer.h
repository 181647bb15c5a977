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

/// 32 random hexadecimal digits, suitable as a `kid` or a `jti`.
absl::StatusOr<std::string> RandomId();

/// Signs tokens with its own key, for development and tests; in production an OIDC provider signs
/// them. Thread-compatible.
class TokenSigner {
 public:
  /// Generates a key, on P-256 or with 2,048 bits, with the id `kid`.
  static absl::StatusOr<TokenSigner> Generate(Algorithm algorithm, const std::string& kid);
  /// Parses the result of PrivateJwk. INVALID_ARGUMENT for anything else.
  static absl::StatusOr<TokenSigner> FromPrivateJwk(std::string_view jwk);

  /// The private key as a JWK. Secret.
  std::string PrivateJwk() const;
  /// The public key as a JWKS, which KeySet reads.
  std::string PublicJwks() const;

  /// Returns a token for `principal` that is accepted under `rules`, valid from `now` for
  /// `lifetime`, with a random `jti`.
  absl::StatusOr<std::string> Mint(const Principal& principal, const TokenRules& rules, Time now,
                                   std::chrono::seconds lifetime) const;
  /// Signs `payload` unchanged. `header` is a JSON object of strings, objects and lists; where it
  /// lacks an algorithm or a `kid`, this key's values are used.
  absl::StatusOr<std::string> Sign(std::string_view header, std::string_view payload) const;

 private:
  TokenSigner(KeySet::Key key, std::string kid) : key_(std::move(key)), kid_(std::move(kid)) {}

  KeySet::Key key_;
  std::string kid_;
};

}  // namespace ridestream::identity
