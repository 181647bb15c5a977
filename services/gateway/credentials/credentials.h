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

/// Decides which credentials a call to a service carries, in the same way for gRPC-Web, WebSockets,
/// REST and Server-Sent Events. The gateway has no rights of its own. Thread-safe.
class Credentials {
 public:
  /// Refuses every call.
  Credentials() = default;
  /// Forwards the caller's claimed name, as services with --insecure expect. The arguments of all
  /// constructors must outlive this object.
  explicit Credentials(const Anonymizer& anonymizer) : anonymizer_(&anonymizer) {}
  /// Requires a token. `sessions` is null if browsers can't sign in.
  Credentials(const Anonymizer& anonymizer, const identity::TokenVerifier& tokens,
              BrowserSessions* sessions = nullptr)
      : anonymizer_(&anonymizer), tokens_(&tokens), sessions_(sessions) {}

  /// Adds the caller's proof to the metadata of `call`: the bearer token that the client sent; or,
  /// if `request` (the headers of the HTTP request) has the cookie of a browser's session, a token
  /// for the caller that the field `ridestream-caller` names. That field may name a driver by its
  /// pseudonym, which is the only id that the page knows for a car on the map. UNAUTHENTICATED
  /// without a valid token; the event "call_refused" is then logged, at most ten times a second.
  absl::Status Prove(const Headers& request, CallOptions& call) const;

  /// Whether calls need a token or a session. Otherwise callers are who they claim to be.
  bool is_proof_required() const { return tokens_ != nullptr; }
  /// Null if browsers can't sign in.
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
