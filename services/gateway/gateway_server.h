#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "libs/base/clock.h"
#include "libs/base/host_port.h"
#include "libs/metrics/exporter.h"
#include "libs/metrics/service_metrics.h"
#include "libs/rpc/keep_awake.h"
#include "libs/rpc/security.h"
#include "services/gateway/credentials/browser_sessions.h"
#include "services/gateway/http/hosts.h"
#include "services/gateway/http/http_server.h"
#include "services/gateway/http/https_certificate.h"
#include "services/gateway/http/origins.h"
#include "services/gateway/http/static_files.h"
#include "services/gateway/http_metrics.h"
#include "services/gateway/oidc/oidc_sign_in.h"
#include "services/gateway/server/gateway.h"
#include "services/gateway/viewers/anonymizer.h"

namespace ridestream::gateway {

/// The gateway as one object: the channels to the services, the HTTP server and the metrics port.
/// Thread-safe.
class GatewayServer {
 public:
  struct Options {
    /// host:port; port 0 chooses a free port.
    std::string address = "127.0.0.1:0";
    /// Threads that serve connections.
    int threads = 2;
    HttpLimits limits = {};
    /// host:port of the metrics; port 0 chooses a free port, "off" disables them.
    std::string metrics_listen = "off";
    /// How the gateway proves its identity to the services and verifies its callers' tokens. The
    /// default requires files, which must be named.
    rpc::Security::Options security = {};
    /// Folder of the throwaway authority whose key signs tokens for browser sessions, see
    /// BrowserSessions. Empty: no one-time codes. Unused when insecure, because nobody has to sign
    /// in then.
    std::string sign_in_authority = {};
    /// Sign-in at an OIDC provider, see OidcSignIn. Off if the issuer is empty. Requires a
    /// `public_url` that is an origin, unless `address` is on loopback.
    OidcSignIn::Options oidc = {};
    /// File with a private key as a JWK. It signs browser sessions and the tokens with which they
    /// call. The services' key set must contain the public key. Empty: the key of
    /// `sign_in_authority`.
    std::string session_key = {};
    /// File with a secret of at least 32 bytes, from which viewers' pseudonyms for drivers are
    /// derived. Empty: the key of `sign_in_authority` if there is one, else a random secret, in
    /// which case the pseudonyms change when the process restarts.
    std::string pseudonym_key = {};
    /// The http or https URL by which browsers reach the gateway, for the address that page()
    /// returns. If it is https, as it must be with `https_certificate`, responses tell browsers to
    /// use HTTPS only, and cookies are sent over TLS only. Empty: derived from `address`.
    std::string public_url = {};
    /// Template of the URL of the page that shows a trace, in the form of CheckTraceUrl. The live
    /// map's trips link to it, and viewers then get the trips' trace contexts. Empty: no links.
    std::string trace_url = {};
    /// The file of the HttpsCertificate for TLS on the port. Empty: plain HTTP.
    std::string https_certificate = {};
    /// Allows plain HTTP beyond loopback, where cookies and tokens can be read on the network.
    bool plain_http = false;
    /// Addresses of the services behind the gateway, in the forms of service::MarketAddresses. The
    /// services may start later. If a service has an address for each market, a call goes to the
    /// address of the market that it names.
    std::string trip = "127.0.0.1:7001";
    std::string location = "127.0.0.1:7002";
    std::string dispatch = "127.0.0.1:7003";
    Origins origins = {};
    Hosts hosts = {};
    /// The files of the page; may be empty.
    StaticFiles files = {};
    /// Deadline of unary calls that have none.
    std::chrono::milliseconds default_timeout{15'000};
    /// How long Drain waits for open requests and streams.
    std::chrono::milliseconds drain_grace{5'000};
  };

  /// Returns when the gateway serves. UNAVAILABLE if an address can't be bound. INVALID_ARGUMENT
  /// for an address of the wrong form, or one beyond loopback without `https_certificate`,
  /// `plain_http` or insecure security.
  static absl::StatusOr<std::unique_ptr<GatewayServer>> Start(Options options);

  ~GatewayServer();

  int port() const { return server_->port(); }
  /// host:port, with the actual port.
  std::string address() const { return WithPort(listen_, port()); }
  /// host:port of the metrics, or "off".
  std::string metrics_address() const { return exporter_->address(); }
  /// The address at which a browser opens the page. With one-time codes it contains the current
  /// code and is secret.
  std::string page() const;
  /// How callers are identified, for the log.
  std::string authentication() const { return security_->authenticator().description(); }
  /// Reports in the health check that the gateway is draining, accepts no more connections, waits
  /// at most `drain_grace` for open requests and streams, and cuts the rest. Call it once. The
  /// destructor stops without waiting.
  void Drain();

 private:
  GatewayServer(const Options& options, std::unique_ptr<rpc::Security> security);
  absl::Status OpenSessions(const Options& options);
  absl::Status OfferSignIn(const Options& options, identity::TokenSigner signer);
  absl::Status MakeAnonymizer(const Options& options);
  std::string Url() const;
  absl::Status Serve(Options options);

  const std::string listen_;
  const std::string public_url_;
  const std::chrono::milliseconds drain_grace_;
  const rpc::KeepAwake keep_awake_;
  // In order of dependency: each member is used by those below it.
  const ScaledClock wall_;  // Tokens use wall-clock time at any --clock_rate.
  const std::unique_ptr<rpc::Security> security_;
  std::unique_ptr<HttpsCertificate> certificate_;  // Null: plain HTTP.
  std::unique_ptr<BrowserSessions> sessions_;      // Null: browsers can't sign in.
  std::unique_ptr<OidcSignIn> oidc_;               // Null: no OIDC provider.
  std::unique_ptr<Anonymizer> anonymizer_;
  metrics::ServiceMetrics metrics_;
  HttpMetrics http_metrics_;
  std::unique_ptr<Gateway> gateway_;
  std::unique_ptr<HttpServer> server_;
  std::unique_ptr<metrics::Exporter> exporter_;
};

}  // namespace ridestream::gateway
