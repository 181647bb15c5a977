#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "grpcpp/client_context.h"
#include "grpcpp/server_context.h"

namespace ridestream::rpc {

/// The metadata in which a call says who makes it: "rider/r-17".
inline constexpr char kCallerKey[] = "ridestream-caller";

enum class CallerKind { kRider, kDriver, kService };

/// Who makes a call.
struct Caller {
  CallerKind kind;
  std::string id;
};

/// The seam through which every server learns who is calling. Thread-safe.
class Authenticator {
 public:
  virtual ~Authenticator() = default;
  /// UNAUTHENTICATED when the call doesn't tell, doesn't prove it, or tells it twice.
  virtual absl::StatusOr<Caller> Authenticate(const grpc::ServerContextBase& context) const = 0;
  /// For the start line.
  virtual std::string description() const = 0;
};

/// Believes the metadata `ridestream-caller: rider/r-17`. For closed networks and development: the
/// place where tokens will be checked.
class TrustingAuthenticator final : public Authenticator {
 public:
  absl::StatusOr<Caller> Authenticate(const grpc::ServerContextBase& context) const override;
  std::string description() const override { return "none: the caller's word is trusted"; }
};

/// Says on an outgoing call who we are.
void SetCaller(grpc::ClientContext& context, const Caller& caller);

/// PERMISSION_DENIED unless the caller is of this kind; UNAUTHENTICATED if it is nobody.
absl::StatusOr<Caller> RequireCaller(const Authenticator& authenticator,
                                     const grpc::ServerContextBase& context, CallerKind kind);

}  // namespace ridestream::rpc
