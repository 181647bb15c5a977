#pragma once

#include "absl/status/status.h"
#include "libs/identity/token_verifier.h"
#include "services/gateway/call/call.h"
#include "services/gateway/credentials/browser_sessions.h"
#include "services/gateway/http/message.h"

namespace ridestream::gateway {

/// Decides with which credentials a call is forwarded to a service, for gRPC-Web, WebSockets, REST
/// and Server-Sent Events alike. The gateway has no rights of its own. Thread-safe.
class Credentials {
 public:
  /// Passes on the caller's own word, which is all that services with --insecure ask for.
  Credentials() = default;
  /// Demands a token. `sessions`: null if no browser can sign in. Both must outlive it.
  explicit Credentials(const identity::TokenVerifier& tokens, BrowserSessions* sessions = nullptr)
      : tokens_(&tokens), sessions_(sessions) {}

  /// Puts the proof into the metadata of `call`: the bearer token that the client sent, or one for
  /// the caller that its field `ridestream-caller` names where `request`, the header of the HTTP
  /// request, has the cookie of a browser's session. UNAUTHENTICATED without a valid token; the log
  /// then has the event "call_refused", at most ten times a second.
  absl::Status Prove(const Headers& request, CallOptions& call) const;

  /// Null when no browser can sign in.
  BrowserSessions* sessions() const { return sessions_; }

 private:
  absl::Status Check(const Headers& request, CallOptions& call) const;

  const identity::TokenVerifier* tokens_ = nullptr;
  BrowserSessions* sessions_ = nullptr;
};

}  // namespace ridestream::gateway
