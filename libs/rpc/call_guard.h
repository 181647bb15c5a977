#pragma once

#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "grpcpp/server_context.h"
#include "libs/identity/policy.h"
#include "libs/rpc/caller.h"
#include "libs/service/markets.h"

namespace ridestream::rpc {

/// A call that its method's policy permits.
struct Admission {
  const google::protobuf::MethodDescriptor* method = nullptr;
  Proof proof;
  /// What the service has yet to enforce on what it reads from its records.
  identity::Permission permission;

  const Caller& caller() const { return proof.principal; }
  /// Whether the call is restricted to what is the caller's own.
  bool only_own() const { return permission.scope == identity::Scope::kOwn; }
  /// Whether the answer may name nobody.
  bool anonymous() const { return permission.scope == identity::Scope::kAnonymous; }
  /// Whether the call may touch records of this market.
  bool may_touch(std::string_view market) const {
    return permission.market.empty() || permission.market == market;
  }
};

/// The one place where a service asks who calls and whether the method's policy (policy.proto)
/// permits it. Every handler begins with it. The method is the one that takes the request's type,
/// so a handler can't ask about another. Refused calls are logged, at most ten a second, as
/// "call_refused". Thread-safe.
class CallGuard {
 public:
  /// `authenticator` must outlive it. Calls may concern these markets; by default, any.
  explicit CallGuard(const Authenticator& authenticator, service::ServedMarkets markets = {})
      : authenticator_(authenticator), markets_(std::move(markets)) {}

  /// Decides about a call whose whole request is there. UNAUTHENTICATED, PERMISSION_DENIED (see
  /// identity::Authorize), RESOURCE_EXHAUSTED (see LimitingAuthenticator), or FAILED_PRECONDITION
  /// when the metadata `ridestream-market` names a market that isn't served here.
  absl::StatusOr<Admission> Admit(const grpc::ServerContextBase& context,
                                  const google::protobuf::Message& request) const;

  /// Decides by the caller alone about a call whose request, or the first message of whose client
  /// stream, is yet to be read. That message must then pass AdmitRequest.
  template <class Request>
  absl::StatusOr<Admission> AdmitCaller(const grpc::ServerContextBase& context) const {
    return AdmitCaller(context, *Request::descriptor());
  }
  static absl::Status AdmitRequest(const Admission& admission,
                                   const google::protobuf::Message& request);

  /// Whether an open stream may go on; see Authenticator::CheckOpenStream.
  absl::Status CheckOpenStream(const Admission& admission) const {
    return authenticator_.CheckOpenStream(admission.proof);
  }

 private:
  absl::StatusOr<Admission> AdmitCaller(const grpc::ServerContextBase& context,
                                        const google::protobuf::Descriptor& request_type) const;

  const Authenticator& authenticator_;
  const service::ServedMarkets markets_;
};

}  // namespace ridestream::rpc
