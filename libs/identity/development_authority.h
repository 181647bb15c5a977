#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/base/clock.h"
#include "libs/identity/principal.h"
#include "libs/identity/token.h"
#include "libs/identity/token_signer.h"

namespace ridestream::identity {

/// The rules for tokens that a development authority mints.
TokenRules DevelopmentTokenRules();

/// A throwaway authority for development and tests: a folder, open to its owner alone, with
///   authority.pem        the certificate of the authority
///   NAME.pem, NAME.key   for each process its certificate, with the URI SAN ServiceUri(SERVICE),
///   the
///                        DNS name NAME and names for loopback, and its key
///   tokens.jwk           the private key that signs tokens
///   jwks.json            its public half
///   revoked              the list of revocations, empty
/// The authority's own key isn't kept, so nobody can add a certificate later. Not for production.
class DevelopmentAuthority {
 public:
  struct Options {
    /// NAME, which is both the service and the name of its files; or NAME=SERVICE for one of
    /// several processes of a service, such as dispatch-porto=dispatch. Each an id; see IsId.
    std::vector<std::string> services;
    std::chrono::hours validity{30 * 24};
  };

  /// Creates the authority in `folder`, with missing parent folders. Existing files are replaced,
  /// each atomically. Certificates are valid from an hour before `now`, so that a container whose
  /// clock is slow accepts them.
  static absl::Status Create(const std::string& folder, const Options& options, Time now);

  /// Returns the key with which the authority in `folder` signs tokens. NOT_FOUND if there is none.
  static absl::StatusOr<TokenSigner> ReadSigner(const std::string& folder);

  /// Returns a token signed by the authority in `folder`. NOT_FOUND if there is none;
  /// INVALID_ARGUMENT for a principal that no token may name.
  static absl::StatusOr<std::string> MintToken(const std::string& folder,
                                               const Principal& principal, Time now,
                                               std::chrono::seconds lifetime);
};

/// Creates a P-256 key for signing tokens, and writes it as a JWK to the new file `path`, which
/// only its owner may read. Returns the JWKS with the public key. ALREADY_EXISTS if the file
/// exists.
absl::StatusOr<std::string> CreateTokenKey(const std::string& path);

/// Parses "rider/ada". INVALID_ARGUMENT, with the reason, for anything else.
absl::StatusOr<Principal> ParsePrincipal(std::string_view name);

}  // namespace ridestream::identity
