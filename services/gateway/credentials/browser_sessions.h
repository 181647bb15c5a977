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
#include "services/gateway/http/host_cookie.h"
#include "services/gateway/http/message.h"

namespace ridestream::gateway {

/// Logs "sign_in_refused" with the reason, at most ten times a second.
void LogRefusedSignIn(std::string_view reason);

/// Sessions of browsers, which call with tokens that this process signs. There are two kinds:
/// - A person who signed in at an OIDC provider (see OidcSignIn). The session acts as that person.
/// - For development, with a throwaway authority: an address with a one-time code opens a session
///   that may act as any rider, driver or viewer.
/// A cookie continues a session. No table of sessions is kept: the cookie's value is itself a
/// signed token, which only a gateway with the same key accepts, so a session survives a restart.
/// Thread-safe.
class BrowserSessions {
 public:
  struct Session {
    /// The person who signed in. Empty for a session that a one-time code opened.
    std::optional<identity::Principal> person;
  };

  /// A code is redeemed by a request for kSignInPath + "?code=" + code.
  static constexpr std::string_view kSignInPath = "/sign-in";
  static constexpr std::string_view kSignOutPath = "/sign-out";
  /// Lifetime of a one-time code, and of a session.
  static constexpr std::chrono::hours kLifetime{12};

  /// `signer`: its public key must be in the key set of the services. `rules`: what the services
  /// require of tokens. `wall`: a wall clock that must outlive this object. `has_codes`: whether
  /// one-time codes open sessions.
  static absl::StatusOr<std::unique_ptr<BrowserSessions>> Make(identity::TokenSigner signer,
                                                               identity::TokenRules rules,
                                                               const Clock& wall,
                                                               bool has_codes = true);

  /// Sets the gateway's URL, such as "http://127.0.0.1:7000", which decides the name of the cookie
  /// (see HostCookie). Until this call, no session is opened or found, and Address() has no host.
  void SetUrl(std::string url);
  bool has_codes() const { return has_codes_; }
  /// The address that opens the next session. Secret. Only for sessions with codes.
  std::string Address() const;

  /// Answers a request for kSignInPath. The first request with the current code gets a session
  /// cookie and is redirected to the page. All others get 403, unless they already have a session.
  /// A code that was used or has expired is replaced by a new one, and the log event
  /// "sign_in_address" contains the new address. Also logs "session_opened" and "sign_in_refused".
  Response SignIn(const Request& request);

  /// The value of the Set-Cookie field that gives a browser a session of `person`. Logs
  /// "session_opened" with the person.
  absl::StatusOr<std::string> Open(const identity::Principal& person);
  /// Answers a request for kSignOutPath: clears the session cookie. Logs "session_closed".
  Response SignOut(const Request& request) const;

  /// The session whose cookie is in a request's headers. None if the request comes from a page of
  /// another origin, or if there are two such cookies.
  std::optional<Session> Find(const Headers& headers) const;

  /// Returns a token, valid for an hour, with which `session` acts as `caller`, such as
  /// "rider/ada". A person acts as themselves, also if `caller` is empty, and as a viewer with the
  /// person's id. A session that a code opened acts as any rider, driver or viewer.
  /// INVALID_ARGUMENT if `caller` is not a valid name; PERMISSION_DENIED if the session may not act
  /// as this caller.
  absl::StatusOr<std::string> MintToken(const Session& session, std::string_view caller) const;

 private:
  BrowserSessions(identity::TokenSigner signer, identity::TokenRules rules, const Clock& wall,
                  bool has_codes);
  absl::Status NewCode() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  /// Redeems the code and returns the cookie's value for the new session.
  absl::StatusOr<std::string> Redeem(std::string_view code) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  std::optional<HostCookie> Cookie() const;
  bool IsOfOwnPage(const Headers& headers) const;
  std::string AddressLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const Clock& wall_;
  const identity::TokenRules rules_;
  // Rules for the cookie's value. The two audiences differ, so a person's name can't turn into a
  // session that a code opened.
  const identity::TokenRules code_rules_;
  const identity::TokenRules person_rules_;
  const bool has_codes_;
  std::shared_ptr<const identity::KeySet> keys_;  // Set by Make.
  mutable Mutex mu_;
  const identity::TokenSigner signer_ ABSL_GUARDED_BY(mu_);
  std::string url_ ABSL_GUARDED_BY(mu_);
  std::optional<HostCookie> cookie_ ABSL_GUARDED_BY(mu_);  // Set with url_.
  std::string code_ ABSL_GUARDED_BY(mu_);
  Time code_made_at_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ridestream::gateway
