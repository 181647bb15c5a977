#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "libs/identity/openssl_types.h"

namespace ridestream::gateway {

/// The ids under which viewers know drivers. A pseudonym is the driver's id, padded and encrypted
/// with AES-SIV (RFC 5297): equal ids give equal pseudonyms under the same secret, and only a
/// holder of the secret can make or reverse one. Stores nothing. Thread-safe.
class Pseudonyms {
 public:
  static constexpr std::size_t kMinSecretBytes = 32;

  /// INVALID_ARGUMENT if `secret` has fewer than kMinSecretBytes bytes.
  static absl::StatusOr<Pseudonyms> FromSecret(std::string_view secret);
  /// With a random secret, so that no other process can reverse these pseudonyms.
  static absl::StatusOr<Pseudonyms> Random();

  /// The pseudonym of an id, made of the characters that ids consist of: 43 characters for an id of
  /// at most 16 bytes, at most 107. Empty for an empty id.
  std::string Hide(std::string_view id) const;
  /// The id that a pseudonym hides; nullopt for any other text.
  std::optional<std::string> Reveal(std::string_view pseudonym) const;

 private:
  using Cipher = std::unique_ptr<EVP_CIPHER, identity::OpenSslRelease<EVP_CIPHER_free>>;
  Pseudonyms(Cipher cipher, std::string key) : cipher_(std::move(cipher)), key_(std::move(key)) {}

  Cipher cipher_;
  std::string key_;
};

}  // namespace ridestream::gateway
