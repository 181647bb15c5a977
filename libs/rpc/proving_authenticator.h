#pragma once

#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "grpcpp/server_context.h"
#include "libs/identity/token_verifier.h"
#include "libs/rpc/caller.h"

namespace ridestream::rpc {

/// Services that forward calls of riders, drivers, operators and viewers together with their
/// tokens. They have no rights of their own: without a token, their call has no identity.
inline const std::set<std::string> kTokenCarriers = {"gateway", "door", "loadtest"};

/// The service that is trusted to report its clients' addresses: it sets `x-forwarded-for` itself,
/// to one IP address.
inline constexpr char kTrustedProxy[] = "door";
inline constexpr char kForwardedForKey[] = "x-forwarded-for";

/// Accepts only proven identities: a service by its connection's certificate, everyone else by the
/// token in `authorization: Bearer …`, sent once, over a connection of one of kTokenCarriers.
/// Ignores all other claims about the caller. Thread-safe.
class ProvingAuthenticator final : public Authenticator {
 public:
  /// `tokens` must outlive it.
  explicit ProvingAuthenticator(const identity::TokenVerifier& tokens) : tokens_(tokens) {}

  absl::StatusOr<Proof> Authenticate(const grpc::ServerContextBase& context) const override;
  absl::Status CheckOpenStream(const Proof& proof) const override;
  /// For connections of kTrustedProxy, the client that it reports, if any.
  std::string ClientPeer(const grpc::ServerContextBase& context) const override;
  std::string description() const override { return "certificates and tokens"; }

 private:
  const identity::TokenVerifier& tokens_;
};

}  // namespace ridestream::rpc
