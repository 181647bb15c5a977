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

/// How a service proves its identity and identifies its callers: by mutual TLS and tokens; or, if
/// explicitly requested, by trusting callers' claims in plaintext. A service creates one at its
/// start and keeps it to its end. Thread-safe.
class Security {
 public:
  struct Options {
    /// Trust the metadata `ridestream-caller`, and use plaintext. The other options are then
    /// unused.
    bool insecure = false;
    TlsFiles tls = {};
    identity::TokenVerifier::Options tokens = {};
    /// See LimitingAuthenticator.
    double max_calls_per_s = 0;
  };

  /// Fails, with the reason, if a file can't be used or the certificate names a service other than
  /// `service`. Logs a warning if insecure. Must be called before other threads start: see
  /// TlsCredentials::Load.
  static absl::StatusOr<std::unique_ptr<Security>> Start(Options options, std::string_view service);

  /// Identifies callers and limits their calls.
  const Authenticator& authenticator() const { return *limited_; }
  /// Verifies tokens; nullptr if insecure.
  const identity::TokenVerifier* tokens() const { return tokens_.get(); }
  /// Makes the server require the certificate of a service that carries tokens or is listed in the
  /// policies of `served` (full names of proto services), and ignore the sampled flags that come
  /// through the door.
  void Secure(ServerOptions& server, const std::vector<std::string>& served) const;
  /// Credentials for channels to this service; nullptr, i.e. plaintext, if insecure.
  std::shared_ptr<grpc::ChannelCredentials> ForChannel(const std::string& service) const;

  /// Number of checks of certificates, keys, key sets and revocations that found a file unusable.
  std::uint64_t file_failures() const;
  /// Whether a file is currently unusable and its earlier content is in use.
  bool files_stale() const;
  /// Number of connections refused because of their certificate.
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
