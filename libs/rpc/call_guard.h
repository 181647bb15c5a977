#pragma once

#include <string>
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
  Proof proof = {};
  /// Restrictions that the service must enforce on the records that it reads.
  identity::Permission permission = {};
  /// See Authenticator::ClientPeer.
  std::string peer = {};
  /// The ids that the request names, for the audit log; empty until the request has been read.
  std::string about = {};

  const Caller& caller() const { return proof.principal; }
  /// Whether the call is restricted to the caller's own records.
  bool only_own() const { return permission.scope == identity::Scope::kOwn; }
  /// Whether the answer must not name riders or drivers.
  bool anonymous() const { return permission.scope == identity::Scope::kAnonymous; }
  /// Whether the call may access records of this market.
  bool may_touch(std::string_view market) const {
    return permission.market.empty() || permission.market == market;
  }
};

/// The only place where a service authenticates a caller and checks the method's policy
/// (policy.proto). Every handler calls it first. The method is derived from the request's type, so
/// a handler can't check the wrong one. Refused calls and operators' calls are in the audit log,
/// see audit_log.h. Thread-safe.
class CallGuard {
 public:
  /// `authenticator` must outlive it. `served`: the markets that calls may concern; by default,
  /// any.
  explicit CallGuard(const Authenticator& authenticator, service::ServedMarkets markets = {})
      : authenticator_(authenticator), markets_(std::move(markets)) {}

  /// Decides about a call whose request is complete. UNAUTHENTICATED, PERMISSION_DENIED (see
  /// identity::Authorize), RESOURCE_EXHAUSTED (see LimitingAuthenticator), or FAILED_PRECONDITION
  /// if the metadata `ridestream-market` names a market that isn't served here.
  absl::StatusOr<Admission> Admit(const grpc::ServerContextBase& context,
                                  const google::protobuf::Message& request) const {
    return Decide(context, *request.GetDescriptor(), &request);
  }

  /// Decides by the caller only, for a call whose request or first client-stream message has not
  /// been read yet. That message must then pass AdmitRequest.
  template <class Request>
  absl::StatusOr<Admission> AdmitCaller(const grpc::ServerContextBase& context) const {
    return Decide(context, *Request::descriptor(), nullptr);
  }
  static absl::Status AdmitRequest(const Admission& admission,
                                   const google::protobuf::Message& request);

  /// For handlers that find out only from their records that the caller lacks permission: adds a
  /// PERMISSION_DENIED to the audit log. Ignores other statuses.
  static void Audit(const Admission& admission, const absl::Status& answer);

  /// Whether an open stream may continue; see Authenticator::CheckOpenStream.
  absl::Status CheckOpenStream(const Admission& admission) const {
    return authenticator_.CheckOpenStream(admission.proof);
  }

 private:
  absl::StatusOr<Admission> Decide(const grpc::ServerContextBase& context,
                                   const google::protobuf::Descriptor& request_type,
                                   const google::protobuf::Message* request) const;

  const Authenticator& authenticator_;
  const service::ServedMarkets markets_;
};

}  // namespace ridestream::rpc
