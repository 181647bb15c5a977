#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "grpcpp/client_context.h"
#include "grpcpp/server_context.h"
#include "libs/identity/principal.h"
#include "libs/identity/token.h"

namespace ridestream::rpc {

/// The metadata in which a call says who makes it, "rider/r-17", to servers that believe that.
inline constexpr char kCallerKey[] = "ridestream-caller";

/// The identity of a caller.
using Caller = identity::Principal;
using CallerKind = identity::Role;

/// The identity that a caller proved, and how long the proof is valid.
using Proof = identity::Claims;

/// The port through which every server learns who is calling. Thread-safe.
class Authenticator {
 public:
  virtual ~Authenticator() = default;
  /// UNAUTHENTICATED when the call doesn't say who makes it, doesn't prove it, or says it twice.
  virtual absl::StatusOr<Proof> Authenticate(const grpc::ServerContextBase& context) const = 0;
  /// Whether a stream that was opened with this proof may stay open. Cheap.
  virtual absl::Status CheckOpenStream(const Proof& proof) const = 0;
  /// Where the call comes from, as ParsePeer takes it: the connection's other end or, where that is
  /// a proxy that is trusted to say so, the client behind it.
  virtual std::string ClientPeer(const grpc::ServerContextBase& context) const {
    return context.peer();
  }
  /// For the start line.
  virtual std::string description() const = 0;
};

/// Believes the metadata `ridestream-caller: rider/r-17`, also of services. For closed networks and
/// tests: what --insecure asks for.
class TrustingAuthenticator final : public Authenticator {
 public:
  absl::StatusOr<Proof> Authenticate(const grpc::ServerContextBase& context) const override;
  absl::Status CheckOpenStream(const Proof&) const override { return absl::OkStatus(); }
  std::string description() const override { return "none: the caller's word is trusted"; }
};

/// A proof that never expires.
Proof LastingProof(Caller caller);

/// Says on an outgoing call who makes it: by a token where ClientSecurity has one, else by name. A
/// service's name proves nothing; its channel's certificate does.
void SetCaller(grpc::ClientContext& context, const Caller& caller);

}  // namespace ridestream::rpc
