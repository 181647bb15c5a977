#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/base/clock.h"
#include "libs/identity/https_client.h"
#include "nlohmann/json.hpp"

namespace ridestream::gateway {

/// `error` if it is an error code that OAuth 2.0 or OpenID Connect defines, else "unknown": nothing
/// else of what a provider, or a forged callback, says is logged.
std::string_view KnownOidcError(std::string_view error);

/// An OpenID Connect provider: its discovery document, token endpoint and keys (OpenID Connect Core
/// 1.0, Discovery 1.0). Functions block for as long as the provider takes. One thread at a time
/// uses it; Stop may be called by any.
///
/// Errors, none of which contains a code, a token or a secret:
///  * UNAVAILABLE: the provider can't be reached or its responses can't be used.
///  * PERMISSION_DENIED: the provider refuses the code.
///  * FAILED_PRECONDITION: the gateway's own configuration is at fault.
///  * UNAUTHENTICATED: the ID token isn't valid.
class OidcProvider {
 public:
  struct Options {
    /// The provider's https URL, byte for byte as its ID tokens name it in `iss`.
    std::string issuer;
    std::string client_id;
    /// File with the client's secret. It is read for each sign-in. Empty: a public client.
    std::string client_secret_file = {};
    /// See HttpsClient::Options.
    std::string authorities = {};
    /// Limit of each request to the provider.
    std::chrono::milliseconds timeout{5'000};
  };

  /// Contacts nobody yet. INVALID_ARGUMENT, or the error of the secret's file, names the flag.
  /// `wall` must outlive the provider. Call it before other threads start: see HttpsClient.
  static absl::StatusOr<std::unique_ptr<OidcProvider>> Make(Options options, const Clock& wall);

  const Options& options() const { return options_; }

  /// The URL at which people sign in. A discovery document that was read within the last 10 minutes
  /// is used again.
  absl::StatusOr<std::string> AuthorizationEndpoint();

  struct Grant {
    std::string code;
    std::string code_verifier;
    std::string redirect_uri;
    /// What the ID token's `nonce` must be.
    std::string nonce;
  };
  /// Exchanges the code for an ID token, verifies it with the provider's present keys, and returns
  /// its claims.
  absl::StatusOr<nlohmann::json> Redeem(const Grant& grant);

  /// Ends the request that is under way within a second, and fails all later ones.
  void Stop() { client_->Stop(); }

 private:
  enum class ClientAuthentication { kNone, kBasic, kPost };
  struct Endpoints {
    std::string authorization;
    std::string token;
    std::string keys;
    ClientAuthentication authentication = ClientAuthentication::kNone;
    Time read_at;
  };

  OidcProvider(Options options, const Clock& wall, std::unique_ptr<identity::HttpsClient> client)
      : options_(std::move(options)), wall_(wall), client_(std::move(client)) {}

  absl::Status Discover();
  absl::StatusOr<Endpoints> ReadDiscovery(const nlohmann::json& document) const;
  /// The body of a response with the status 200.
  absl::StatusOr<std::string> Get(const std::string& url);
  absl::StatusOr<std::string> RequestIdToken(const Grant& grant);
  absl::Status CheckIdToken(const nlohmann::json& claims, const std::string& nonce) const;

  const Options options_;
  const Clock& wall_;
  const std::unique_ptr<identity::HttpsClient> client_;
  std::optional<Endpoints> endpoints_;
};

}  // namespace ridestream::gateway
