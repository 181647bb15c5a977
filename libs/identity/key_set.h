#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "cjose/jwk.h"

namespace ridestream::identity {

/// The accepted signature algorithms. A key serves exactly one of them, whatever a token's header
/// claims. HMAC and "none" are not supported.
enum class Algorithm { kEs256, kRs256 };

/// The public keys with which an issuer's tokens are verified: a JWKS (RFC 7517). Immutable, so
/// thread-safe.
class KeySet {
 public:
  struct ReleaseKey {
    void operator()(cjose_jwk_t* key) const { cjose_jwk_release(key); }
  };
  struct Key {
    Algorithm algorithm;
    std::unique_ptr<cjose_jwk_t, ReleaseKey> jwk;
  };

  static constexpr std::size_t kMaxKeys = 64;

  /// Parses the keys of `jwks` that can verify a token: EC on P-256 (ES256) and RSA of 2,048 to
  /// 4,096 bits (RS256), with a `kid`. Other kinds, uses and algorithms are skipped, as RFC 7517
  /// requires. INVALID_ARGUMENT if the text isn't a JWKS, has more than kMaxKeys keys, or has no
  /// usable key, or if a usable key is malformed, private, or has a duplicate `kid`.
  static absl::StatusOr<std::shared_ptr<const KeySet>> Parse(std::string_view jwks);

  /// nullptr when there is no such key.
  const Key* Find(std::string_view kid) const;
  std::size_t size() const { return keys_.size(); }

 private:
  std::map<std::string, Key, std::less<>> keys_;
};

}  // namespace ridestream::identity
