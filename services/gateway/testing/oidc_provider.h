#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "libs/base/clock.h"
#include "libs/base/mutex.h"
#include "libs/identity/token_signer.h"
#include "libs/testing/temp_folder.h"
#include "nlohmann/json.hpp"
#include "services/gateway/http/http_server.h"
#include "services/gateway/http/https_certificate.h"
#include "services/gateway/testing/event.h"

namespace ridestream::gateway {

/// An OpenID Connect provider on a free port of 127.0.0.1 that speaks TLS. It signs in everybody as
/// the person that `claims` describes, checks the client, the redirect URI and PKCE, and accepts
/// each code once. For tests, which configure its faults. Thread-safe.
class TestOidcProvider {
 public:
  struct Behavior {
    /// Members that the ID token has besides iss, aud, iat, exp and nonce, or in their place; null
    /// removes a member.
    nlohmann::json claims = {{"sub", "ada"}};
    /// The header of the ID token.
    std::string token_header = R"({"typ":"JWT"})";
    /// Sent in place of the ID token, unless empty.
    std::string id_token = {};
    /// Members that replace those of the discovery document; null removes a member.
    nlohmann::json discovery = nlohmann::json::object();
    /// Status codes with which the paths answer; 0: normal operation.
    int discovery_status = 0;
    int token_status = 0;
    int keys_status = 0;
    /// Never answers a request for the token.
    bool is_silent = false;
    /// Redirects browsers back with this error in place of a code.
    std::string error = {};
  };

  static constexpr char kClientId[] = "live map";
  static constexpr char kSecret[] = "s3cret/+ ";

  /// Tokens carry times of `clock`, which must outlive the provider.
  explicit TestOidcProvider(const Clock& clock);
  ~TestOidcProvider() { Close(); }

  /// "https://127.0.0.1:PORT".
  std::string issuer() const;
  /// PEM file with the authority to trust.
  std::string authorities() const { return folder_.File("authority.pem"); }
  /// File with the client's secret.
  std::string secret_file() const { return folder_.File("secret"); }

  void Set(Behavior behavior);
  /// Signs with a new key from now on.
  void RotateKey();
  /// Closes the port.
  void Close();
  /// Signs in as a browser does that the gateway redirected to `location`. Returns the path and
  /// query of the callback to which the provider redirects.
  std::string SignIn(const std::string& location);
  /// Number of requests for `path`.
  int requests(const std::string& path) const;

  /// Happens when a client waits for a token from a silent provider.
  Event token_requested;

 private:
  struct IssuedCode {
    std::string challenge;
    std::string nonce;
    std::string redirect_uri;
  };

  void Serve(const std::shared_ptr<Exchange>& exchange);
  Response Discovery() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  Response Authorize(const std::string& query) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  Response Token(const Request& request) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  std::string IdToken(const IssuedCode& code) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const Clock& clock_;
  const testing::TempFolder folder_;
  mutable Mutex mu_;
  Behavior behavior_ ABSL_GUARDED_BY(mu_);
  identity::TokenSigner signer_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, IssuedCode> codes_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, int> requests_ ABSL_GUARDED_BY(mu_);
  std::vector<std::shared_ptr<Exchange>> unanswered_ ABSL_GUARDED_BY(mu_);
  bool is_closed_ ABSL_GUARDED_BY(mu_) = false;
  std::string issuer_ ABSL_GUARDED_BY(mu_);
  std::unique_ptr<HttpsCertificate> certificate_;
  std::unique_ptr<HttpServer> server_;
};

}  // namespace ridestream::gateway
