#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/base/clock.h"
#include "libs/base/mutex.h"
#include "libs/identity/key_set.h"
#include "libs/identity/token.h"
#include "libs/identity/token_signer.h"
#include "services/gateway/http/message.h"

namespace ridestream::gateway {

/// Sessions of the browsers of whoever started this gateway: an address with a one-time code opens
/// one, and a cookie continues it. A session may act as any rider, driver or viewer, by tokens that
/// this process signs; so this is for development, with a throwaway authority. Sessions are kept in
/// no table: the cookie's value is itself a token, which only a gateway with the same key takes,
/// and which therefore outlives a restart. Thread-safe.
class BrowserSessions {
 public:
  /// A code is redeemed at kSignInPath + "?code=" + code.
  static constexpr std::string_view kSignInPath = "/sign-in";
  /// A code that is older is refused, and a session ends after it.
  static constexpr std::chrono::hours kLifetime{12};

  /// `signer`: its key is among those that the services accept. `rules`: what they demand of
  /// tokens. `wall` is a wall clock and must outlive this object.
  static absl::StatusOr<std::unique_ptr<BrowserSessions>> Make(identity::TokenSigner signer,
                                                               identity::TokenRules rules,
                                                               const Clock& wall);

  /// Announces the gateway's URL, such as "http://127.0.0.1:7000". Cookies are for TLS alone when
  /// it begins with "https:". Until then the address lacks it.
  void SetUrl(std::string url);
  /// The address that opens the next session. Secret.
  std::string Address() const;

  /// Answers a request for kSignInPath. The first one with the present code gets a session's cookie
  /// and is sent on to the page; others get 403, unless they have a session already. A code that
  /// was used or has expired is followed by another one, and the event "sign_in_address" in the log
  /// has the new address. Also logs "session_opened" and "sign_in_refused".
  Response SignIn(const Request& request);

  /// Whether a request's header has the cookie of a session and comes from no page of another
  /// origin.
  bool Holds(const Headers& headers) const;

  /// A token, valid for an hour, for a caller such as "rider/ada". INVALID_ARGUMENT when it names
  /// nobody, PERMISSION_DENIED when it is neither a rider, a driver nor a viewer.
  absl::StatusOr<std::string> MintToken(std::string_view caller) const;

 private:
  BrowserSessions(identity::TokenSigner signer, identity::TokenRules rules, const Clock& wall);
  absl::Status NewCode() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  /// The value of the new session's cookie, if the code opens one.
  absl::StatusOr<std::string> Redeem(std::string_view code) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  std::string AddressLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const Clock& wall_;
  const identity::TokenRules rules_;
  const identity::TokenRules session_rules_;      // Of a cookie's value.
  std::shared_ptr<const identity::KeySet> keys_;  // Set by Make.
  mutable Mutex mu_;
  const identity::TokenSigner signer_ ABSL_GUARDED_BY(mu_);
  std::string url_ ABSL_GUARDED_BY(mu_);
  std::string code_ ABSL_GUARDED_BY(mu_);
  Time code_made_at_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ridestream::gateway
