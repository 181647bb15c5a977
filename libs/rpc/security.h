#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "grpcpp/grpcpp.h"
#include "libs/base/clock.h"
#include "libs/identity/token_verifier.h"
#include "libs/rpc/limiting_authenticator.h"
#include "libs/rpc/proving_authenticator.h"
#include "libs/rpc/server.h"
#include "libs/rpc/tls_credentials.h"

namespace ridestream::rpc {

/// How a service proves its identity and identifies its callers: by mutual TLS and tokens, or,
/// where that is asked for by name, by believing what callers say in plaintext. A service makes one
/// of it at its start and keeps it to its end. Thread-safe.
class Security {
 public:
  struct Options {
    /// Believe the metadata `ridestream-caller`, and speak plaintext. The rest is unused then.
    bool insecure = false;
    TlsFiles tls = {};
    identity::TokenVerifier::Options tokens = {};
    /// See LimitingAuthenticator.
    double max_calls_per_s = 0;
  };

  /// An error that names the fault when a file can't be used, or when the certificate names another
  /// service than `service`. Logs a warning when it is insecure. Call it before other threads
  /// start: see TlsCredentials::Load.
  static absl::StatusOr<std::unique_ptr<Security>> Start(Options options, std::string_view service);

  /// Identifies callers, and limits their calls.
  const Authenticator& authenticator() const { return *limited_; }
  /// Verifies tokens; nullptr when it is insecure.
  const identity::TokenVerifier* tokens() const { return tokens_.get(); }
  /// Makes the server demand the certificate of a service that the policies of `served` list (full
  /// names of proto services), or that carries tokens.
  void Secure(ServerOptions& server, const std::vector<std::string>& served) const;
  /// For channels to this service; nullptr, which is plaintext, when it is insecure.
  std::shared_ptr<grpc::ChannelCredentials> ForChannel(const std::string& service) const;

  /// Looks at certificates, keys, key sets and revocations that found a file unusable.
  std::uint64_t file_failures() const;
  /// Whether a file can't be used as it is now, and its earlier content is in use.
  bool files_stale() const;
  /// Connections that were refused for their certificate.
  std::uint64_t peers_refused() const;

 private:
  Security() = default;

  const ScaledClock wall_;  // Tokens use wall-clock time at any --clock_rate.
  std::unique_ptr<TlsCredentials> tls_;
  std::unique_ptr<identity::TokenVerifier> tokens_;
  std::unique_ptr<Authenticator> authenticator_;
  std::optional<LimitingAuthenticator> limited_;
};

}  // namespace ridestream::rpc
