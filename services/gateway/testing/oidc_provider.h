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

/// An OpenID Connect provider on a free port of 127.0.0.1 that speaks TLS. It signs in everybody
/// who comes to its authorization endpoint as the person that `claims` describes, checks the
/// client, the redirect URI and PKCE, and takes each code once. For tests, which set its faults.
/// Thread-safe.
class TestOidcProvider {
 public:
  struct Behavior {
    /// Members of the ID token in addition to iss, aud, iat, exp and nonce, which they replace;
    /// null leaves one out.
    nlohmann::json claims = {{"sub", "ada"}};
    /// The header of the ID token.
    std::string token_header = R"({"typ":"JWT"})";
    /// What replaces the ID token; empty: nothing does.
    std::string id_token = {};
    /// Members of the discovery document, which they replace; null leaves one out.
    nlohmann::json discovery = nlohmann::json::object();
    /// The status with which each path answers; 0 or none: as it should.
    int discovery_status = 0;
    int token_status = 0;
    int keys_status = 0;
    /// Never answers a request for the token.
    bool is_silent = false;
    /// Sends browsers back with this error instead of a code.
    std::string error = {};
  };

  static constexpr char kClientId[] = "live map";
  static constexpr char kSecret[] = "s3cret/+ ";

  /// Tokens have the times of `clock`, which must outlive the provider.
  explicit TestOidcProvider(const Clock& clock);
  ~TestOidcProvider() { Close(); }

  /// "https://127.0.0.1:PORT".
  std::string issuer() const;
  /// PEM file with the authority to trust.
  std::string authorities() const { return folder_.File("authority.pem"); }
  /// File with the client's secret.
  std::string secret_file() const { return folder_.File("secret"); }

  void Set(Behavior behavior);
  /// From now on with another key.
  void RotateKey();
  /// Nobody listens any more.
  void Close();
  /// Signs in at the provider as a browser does which the gateway sent to `location`: the path and
  /// query of the callback to which the provider sends it back.
  std::string SignIn(const std::string& location);
  /// Requests for `path`.
  int requests(const std::string& path) const;

  /// Has come to pass when somebody waits for a token from a silent provider.
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
  std::string issuer_ ABSL_GUARDED_BY(mu_);
  std::unique_ptr<HttpsCertificate> certificate_;
  std::unique_ptr<HttpServer> server_;
};

}  // namespace ridestream::gateway
