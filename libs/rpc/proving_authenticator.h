#pragma once

#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "grpcpp/server_context.h"
#include "libs/identity/token_verifier.h"
#include "libs/rpc/caller.h"

namespace ridestream::rpc {

/// Services that pass on calls of riders, drivers, operators and viewers, whose tokens they send
/// along. They have no rights of their own: a call of theirs without a token is nobody's.
inline const std::set<std::string> kTokenCarriers = {"gateway", "door", "loadtest"};

/// The service whose word about its clients' addresses is taken: it sets `x-forwarded-for` itself,
/// to one IP address.
inline constexpr char kTrustedProxy[] = "door";
inline constexpr char kForwardedForKey[] = "x-forwarded-for";

/// Takes for the caller who is proven: a service by the certificate of its connection, everybody
/// else by the token in `authorization: Bearer …`, sent once, on a connection of one of
/// kTokenCarriers. Nothing else that a call says of its caller is heard. Thread-safe.
class ProvingAuthenticator final : public Authenticator {
 public:
  /// `tokens` must outlive it.
  explicit ProvingAuthenticator(const identity::TokenVerifier& tokens) : tokens_(tokens) {}

  absl::StatusOr<Proof> Authenticate(const grpc::ServerContextBase& context) const override;
  absl::Status CheckOpenStream(const Proof& proof) const override;
  /// On connections of kTrustedProxy the client that it names, if it names one.
  std::string ClientPeer(const grpc::ServerContextBase& context) const override;
  std::string description() const override { return "certificates and tokens"; }

 private:
  const identity::TokenVerifier& tokens_;
};

}  // namespace ridestream::rpc
