#include "libs/rpc/call_guard.h"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "grpc/grpc_security_constants.h"
#include "libs/base/invariant.h"
#include "libs/identity/service_uri.h"
#include "libs/rpc/audit_log.h"
#include "libs/rpc/market.h"
#include "libs/rpc/request_method.h"

namespace ridestream::rpc {
namespace {

using google::protobuf::Message;

AuditedCall Audited(const Admission& admission) {
  const Caller& caller = admission.caller();
  return {.method = admission.method->full_name(),
          .caller = caller.id.empty() ? "" : identity::Name(caller),
          .about = admission.about,
          .peer = admission.peer};
}

/// Writes the refusal to the audit log and returns its status.
absl::Status Refuse(const Admission& admission, const absl::Status& status) {
  LogRefusedCall(Audited(admission), status);
  return status;
}

/// Whether the gateway forwards this call; only the gateway removes names from answers. A
/// connection without a proven peer exists only with TrustingAuthenticator, which trusts it.
bool ComesThroughGateway(const grpc::ServerContextBase& context) {
  const std::vector<grpc::string_ref> uris =
      context.auth_context()->FindPropertyValues(GRPC_PEER_URI_PROPERTY_NAME);
  return uris.empty() || (uris.size() == 1 && uris[0] == identity::ServiceUri("gateway"));
}

void LogIfPrivileged(const Admission& admission) {
  if (admission.caller().role == CallerKind::kOperator) LogPrivilegedCall(Audited(admission));
}

}  // namespace

absl::StatusOr<Admission> CallGuard::Decide(const grpc::ServerContextBase& context,
                                            const google::protobuf::Descriptor& request_type,
                                            const Message* request) const {
  Admission admission{.method = MethodOfRequest(request_type),
                      .peer = authenticator_.ClientPeer(context)};
  RIDESTREAM_INVARIANT(admission.method != nullptr, "a method takes each request type");
  if (request != nullptr) admission.about = NamedIds(*request);
  absl::StatusOr<Proof> proof = authenticator_.Authenticate(context);
  if (!proof.ok()) return Refuse(admission, proof.status());
  admission.proof = *std::move(proof);
  absl::StatusOr<identity::Permission> permission =
      identity::Authorize(&admission.caller(), *admission.method, request);
  if (!permission.ok()) return Refuse(admission, permission.status());
  admission.permission = *std::move(permission);
  if (admission.anonymous() && !ComesThroughGateway(context)) {
    return Refuse(admission,
                  absl::PermissionDeniedError(fmt::format(
                      "{}: a {} may call only through the gateway, which removes names",
                      admission.method->full_name(), identity::RoleName(admission.caller().role))));
  }
  const absl::StatusOr<std::string> market = MarketOf(context);
  absl::Status served = market.status();
  if (served.ok() && !market->empty()) served = markets_.Check(*market, kMarketKey);
  if (!served.ok()) return Refuse(admission, served);
  if (request != nullptr) LogIfPrivileged(admission);
  return admission;
}

absl::Status CallGuard::AdmitRequest(const Admission& admission, const Message& request) {
  Admission whole = admission;
  whole.about = NamedIds(request);
  const absl::Status status =
      identity::Authorize(&whole.caller(), *whole.method, &request).status();
  if (!status.ok()) return Refuse(whole, status);
  LogIfPrivileged(whole);
  return status;
}

void CallGuard::Audit(const Admission& admission, const absl::Status& answer) {
  if (absl::IsPermissionDenied(answer)) LogRefusedCall(Audited(admission), answer);
}

}  // namespace ridestream::rpc
