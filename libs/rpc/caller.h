#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "grpcpp/client_context.h"
#include "grpcpp/server_context.h"
#include "libs/identity/principal.h"
#include "libs/identity/token.h"

namespace ridestream::rpc {

/// The metadata key for the caller's name, "rider/r-17". Only servers that trust callers read it.
inline constexpr char kCallerKey[] = "ridestream-caller";

/// The identity of a caller.
using Caller = identity::Principal;
using CallerKind = identity::Role;

/// The proven identity of a caller, and the validity of the proof.
using Proof = identity::Claims;

/// A port that identifies the caller of each call to a server. Thread-safe.
class Authenticator {
 public:
  virtual ~Authenticator() = default;
  /// UNAUTHENTICATED if the call doesn't name its caller, doesn't prove it, or names it twice.
  virtual absl::StatusOr<Proof> Authenticate(const grpc::ServerContextBase& context) const = 0;
  /// Whether a stream that was opened with this proof may stay open. Cheap.
  virtual absl::Status CheckOpenStream(const Proof& proof) const = 0;
  /// Where the call comes from, in the form that ParsePeer parses: the connection's other end, or
  /// the client behind it if that end is a proxy that is trusted to name its clients.
  virtual std::string ClientPeer(const grpc::ServerContextBase& context) const {
    return context.peer();
  }
  /// For the log line at the start.
  virtual std::string description() const = 0;
};

/// Trusts the metadata `ridestream-caller: rider/r-17`, also from services. For closed networks and
/// tests, by --insecure.
class TrustingAuthenticator final : public Authenticator {
 public:
  absl::StatusOr<Proof> Authenticate(const grpc::ServerContextBase& context) const override;
  absl::Status CheckOpenStream(const Proof&) const override { return absl::OkStatus(); }
  std::string description() const override { return "none: the caller's word is trusted"; }
};

/// A proof that never expires.
Proof LastingProof(Caller caller);

/// Adds the caller's identity to an outgoing call: a token if ClientSecurity provides one, else the
/// name. For a service the name proves nothing; its channel's certificate is the proof.
void SetCaller(grpc::ClientContext& context, const Caller& caller);

}  // namespace ridestream::rpc
