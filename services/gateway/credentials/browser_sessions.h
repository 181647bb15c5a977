#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/base/clock.h"
#include "libs/base/mutex.h"
#include "libs/identity/key_set.h"
#include "libs/identity/principal.h"
#include "libs/identity/token.h"
#include "libs/identity/token_signer.h"
#include "services/gateway/http/message.h"

namespace ridestream::gateway {

/// Logs "sign_in_refused" with the reason, at most ten times a second.
void LogRefusedSignIn(std::string_view reason);

/// Sessions of browsers, which act by tokens that this process signs. A session belongs to
///  * a person who signed in at an OIDC provider (see OidcSignIn), and acts as that person alone,
///  or
///  * whoever started this gateway: an address with a one-time code opens it, and it may act as any
///    rider, driver or viewer. That is for development, with a throwaway authority.
/// A cookie continues a session. Sessions are kept in no table: the cookie's value is itself a
/// token, which only a gateway with the same key takes, and which therefore outlives a restart.
/// Thread-safe.
class BrowserSessions {
 public:
  struct Session {
    /// The person who signed in. Empty: a session that a one-time code opened.
    std::optional<identity::Principal> person;
  };

  /// A code is redeemed at kSignInPath + "?code=" + code.
  static constexpr std::string_view kSignInPath = "/sign-in";
  static constexpr std::string_view kSignOutPath = "/sign-out";
  /// A code that is older is refused, and a session ends after it.
  static constexpr std::chrono::hours kLifetime{12};

  /// `signer`: its key is among those that the services accept. `rules`: what they demand of
  /// tokens. `wall` is a wall clock and must outlive this object. `has_codes`: one-time codes open
  /// sessions.
  static absl::StatusOr<std::unique_ptr<BrowserSessions>> Make(identity::TokenSigner signer,
                                                               identity::TokenRules rules,
                                                               const Clock& wall,
                                                               bool has_codes = true);

  /// Announces the gateway's URL, such as "http://127.0.0.1:7000". Cookies are for TLS alone when
  /// it begins with "https:". Until then the address lacks it.
  void SetUrl(std::string url);
  bool has_codes() const { return has_codes_; }
  /// The address that opens the next session. Secret. For sessions with codes.
  std::string Address() const;

  /// Answers a request for kSignInPath. The first one with the present code gets a session's cookie
  /// and is sent on to the page; others get 403, unless they have a session already. A code that
  /// was used or has expired is followed by another one, and the event "sign_in_address" in the log
  /// has the new address. Also logs "session_opened" and "sign_in_refused".
  Response SignIn(const Request& request);

  /// The value of the field Set-Cookie that gives the browser of `request` a session of `person`.
  /// Logs "session_opened" with the person.
  absl::StatusOr<std::string> Open(const Request& request, const identity::Principal& person);
  /// Answers a request for kSignOutPath: takes the session's cookie from the browser. Logs
  /// "session_closed".
  Response SignOut(const Request& request) const;

  /// The session whose cookie a request's header has, unless the request comes from a page of
  /// another origin.
  std::optional<Session> Find(const Headers& headers) const;

  /// A token, valid for an hour, with which `session` acts as `caller`, such as "rider/ada".
  /// INVALID_ARGUMENT when that names nobody, PERMISSION_DENIED when the session may not act so:
  ///  * a person acts as themselves, also if `caller` is empty, and as a viewer, whose id is then
  ///    the person's;
  ///  * a session that a code opened acts as any rider, driver or viewer.
  absl::StatusOr<std::string> MintToken(const Session& session, std::string_view caller) const;

 private:
  BrowserSessions(identity::TokenSigner signer, identity::TokenRules rules, const Clock& wall,
                  bool has_codes);
  absl::Status NewCode() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  /// The value of the new session's cookie, if the code opens one.
  absl::StatusOr<std::string> Redeem(std::string_view code) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  std::string Cookie(const Request& request, std::string_view value,
                     std::chrono::seconds lifetime) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  std::string AddressLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const Clock& wall_;
  const identity::TokenRules rules_;
  // Rules for a cookie's value. The audiences differ, so that no person's name makes a session of a
  // code.
  const identity::TokenRules code_rules_;
  const identity::TokenRules person_rules_;
  const bool has_codes_;
  std::shared_ptr<const identity::KeySet> keys_;  // Set by Make.
  mutable Mutex mu_;
  const identity::TokenSigner signer_ ABSL_GUARDED_BY(mu_);
  std::string url_ ABSL_GUARDED_BY(mu_);
  std::string code_ ABSL_GUARDED_BY(mu_);
  Time code_made_at_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ridestream::gateway
