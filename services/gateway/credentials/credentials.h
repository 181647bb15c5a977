#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "libs/identity/token_verifier.h"
#include "services/gateway/call/call.h"
#include "services/gateway/credentials/browser_sessions.h"
#include "services/gateway/http/message.h"
#include "services/gateway/viewers/anonymizer.h"

namespace ridestream::gateway {

/// Decides with which credentials a call is forwarded to a service, for gRPC-Web, WebSockets, REST
/// and Server-Sent Events alike. The gateway has no rights of its own. Thread-safe.
class Credentials {
 public:
  /// Refuses every call.
  Credentials() = default;
  /// Forwards the caller's claimed name, as services with --insecure expect. The arguments of all
  /// constructors must outlive this object.
  explicit Credentials(const Anonymizer& anonymizer) : anonymizer_(&anonymizer) {}
  /// Demands a token. `sessions`: null if no browser can sign in.
  Credentials(const Anonymizer& anonymizer, const identity::TokenVerifier& tokens,
              BrowserSessions* sessions = nullptr)
      : anonymizer_(&anonymizer), tokens_(&tokens), sessions_(sessions) {}

  /// Puts the proof into the metadata of `call`: the bearer token that the client sent, or one for
  /// the caller that its field `ridestream-caller` names where `request`, the header of the HTTP
  /// request, has the cookie of a browser's session. That field may name a driver by its pseudonym,
  /// the only id that the page knows for a car on the map. UNAUTHENTICATED without a valid token;
  /// the log then has the event "call_refused", at most ten times a second.
  absl::Status Prove(const Headers& request, CallOptions& call) const;

  /// Null when no browser can sign in.
  BrowserSessions* sessions() const { return sessions_; }

 private:
  absl::Status Check(const Headers& request, CallOptions& call) const;
  void Trust(CallOptions& call) const;
  std::string RevealDriver(std::string_view caller) const;

  const Anonymizer* anonymizer_ = nullptr;
  const identity::TokenVerifier* tokens_ = nullptr;
  BrowserSessions* sessions_ = nullptr;
};

}  // namespace ridestream::gateway
