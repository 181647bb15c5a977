#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/base/clock.h"
#include "libs/base/mutex.h"
#include "libs/base/timer_queue.h"
#include "libs/identity/key_set.h"
#include "libs/identity/token.h"
#include "libs/identity/token_signer.h"
#include "services/gateway/credentials/browser_sessions.h"
#include "services/gateway/http/exchange.h"
#include "services/gateway/http/host_cookie.h"
#include "services/gateway/oidc/claims.h"
#include "services/gateway/oidc/provider.h"
#include "services/gateway/oidc/sign_in_page.h"

namespace ridestream::gateway {

/// Signs people in at an OIDC provider by the authorization code flow with PKCE (RFC 6749, RFC 7636
/// with S256, OpenID Connect Core 1.0), with the gateway as the client. No token reaches the
/// browser: it gets the cookie of a session (BrowserSessions) for the person that the ID token
/// describes (PersonOf).
///
/// `state`, `nonce` and the PKCE verifier of a sign-in wait in a cookie of the browser that began
/// it. The gateway signs the cookie and takes it for 10 minutes, so any gateway with the same key
/// can finish the sign-in, and strangers who begin sign-ins take no memory. Its only redirections
/// lead to the provider's authorization endpoint and to "/".
///
/// Requests to the provider are made by one thread, one after the other. Failures show a page for
/// people, and the log has the event "sign_in_refused" with the reason, at most ten times a second;
/// no code, token or secret is logged. Thread-safe.
class OidcSignIn {
 public:
  static constexpr std::string_view kStartPath = "/sign-in/start";
  static constexpr std::string_view kCallbackPath = "/sign-in/callback";
  /// Time for the person to sign in at the provider.
  static constexpr std::chrono::minutes kLifetime{10};

  struct Options {
    OidcProvider::Options provider;
    /// Space-separated; `openid` among them.
    std::string scope = "openid";
    ClaimNames claims = {};
    /// Sign-ins that may wait for the provider at a time; those beyond get the page kBusy.
    std::size_t max_waiting = 64;
    /// A sign-in that has waited this long for its turn gets the page kBusy.
    std::chrono::milliseconds max_wait{10'000};
  };

  /// `signer`, whose key signs the cookies, and `rules` are those of `sessions`. `sessions` and
  /// `wall` must outlive this object. INVALID_ARGUMENT names the flag that is wrong.
  static absl::StatusOr<std::unique_ptr<OidcSignIn>> Make(Options options,
                                                          identity::TokenSigner signer,
                                                          const identity::TokenRules& rules,
                                                          BrowserSessions& sessions,
                                                          const Clock& wall);
  ~OidcSignIn();

  /// The origin at which browsers reach the gateway: https, or http on loopback, and a host, such
  /// as "https://ride.example". INVALID_ARGUMENT for anything else. The provider sends browsers
  /// back to this origin with kCallbackPath. Until then, Start sends nobody there.
  absl::Status SetOrigin(std::string origin);

  /// Answers a request for kStartPath: sends the browser to the provider.
  void Start(const std::shared_ptr<Exchange>& exchange);
  /// Answers a request for kCallbackPath, to which the provider sends the browser back: opens the
  /// session and sends the browser to the map.
  void Finish(const std::shared_ptr<Exchange>& exchange);

  /// Ends the request to the provider that is under way, and drops the exchanges that wait for it.
  /// Call it before the server of the exchanges ends.
  void Stop();

 private:
  struct Attempt {
    std::string state;
    std::string nonce;
    std::string code_verifier;
  };

  OidcSignIn(Options options, std::unique_ptr<OidcProvider> provider, identity::TokenSigner signer,
             const identity::TokenRules& rules, std::shared_ptr<const identity::KeySet> keys,
             BrowserSessions& sessions, const Clock& wall);

  absl::StatusOr<std::string> Seal(const Attempt& attempt) const;
  /// The attempt in the browser's cookie.
  absl::StatusOr<Attempt> Unseal(const Request& request) const;
  /// The cookie in which an attempt waits.
  HostCookie Cookie() const;
  std::string Origin() const;
  std::string RedirectUri() const { return Origin() + std::string(kCallbackPath); }

  /// Runs `respond` on the thread of the provider, and sends its response on the exchange's strand.
  void RespondFromWorker(const std::shared_ptr<Exchange>& exchange,
                         std::function<Response()> respond);
  Response SendToProvider();
  Response Redeem(const OidcProvider::Grant& grant);
  Response Refuse(SignInFailure failure, std::string_view reason) const;
  Response Refuse(const absl::Status& status) const;

  const Options options_;
  const Clock& wall_;
  const identity::TokenRules rules_;  // Of the cookie's value.
  const std::shared_ptr<const identity::KeySet> keys_;
  BrowserSessions& sessions_;
  mutable Mutex signer_mu_;
  const identity::TokenSigner signer_ ABSL_GUARDED_BY(signer_mu_);
  const std::unique_ptr<OidcProvider> provider_;  // Used by worker_'s thread alone.
  mutable Mutex mu_;
  std::string origin_ ABSL_GUARDED_BY(mu_);
  std::size_t waiting_ ABSL_GUARDED_BY(mu_) = 0;
  std::unique_ptr<TimerQueue> worker_ ABSL_GUARDED_BY(mu_);  // Null: stopped.
};

}  // namespace ridestream::gateway
