#include "libs/rpc/call_guard.h"

#include <string>

#include "libs/base/invariant.h"
#include "libs/rpc/market.h"
#include "libs/rpc/rate_limiter.h"
#include "libs/service/service.h"

namespace ridestream::rpc {
namespace {

using google::protobuf::FileDescriptor;
using google::protobuf::MethodDescriptor;

/// Each method has a request type of its own, beside it; `buf lint` and a test check that.
const MethodDescriptor* FindMethod(const google::protobuf::Descriptor& request_type) {
  const FileDescriptor& file = *request_type.file();
  for (int i = 0; i < file.service_count(); ++i) {
    for (int j = 0; j < file.service(i)->method_count(); ++j) {
      const MethodDescriptor* method = file.service(i)->method(j);
      if (method->input_type() == &request_type) return method;
    }
  }
  return nullptr;
}

/// Returns the status; the log has it as well.
absl::Status Refuse(const MethodDescriptor& method, const Caller* caller,
                    const absl::Status& status) {
  static RateLimiter log_limiter({.per_s = 10, .burst = 100});
  if (!log_limiter.Take("", RateLimiter::Wall::now())) {
    service::Log(service::Level::kWarning, "call_refused",
                 {{"method", method.full_name()},
                  {"caller", caller == nullptr ? "" : identity::Name(*caller)},
                  {"error", status.ToString()}});
  }
  return status;
}

}  // namespace

absl::StatusOr<Admission> CallGuard::AdmitCaller(
    const grpc::ServerContextBase& context,
    const google::protobuf::Descriptor& request_type) const {
  const MethodDescriptor* method = FindMethod(request_type);
  RIDESTREAM_INVARIANT(method != nullptr, "a method takes each request type");
  absl::StatusOr<Proof> proof = authenticator_.Authenticate(context);
  if (!proof.ok()) return Refuse(*method, nullptr, proof.status());
  absl::StatusOr<identity::Permission> permission =
      identity::Authorize(&proof->principal, *method, nullptr);
  if (!permission.ok()) return Refuse(*method, &proof->principal, permission.status());
  const absl::StatusOr<std::string> market = MarketOf(context);
  absl::Status served = market.status();
  if (served.ok() && !market->empty()) served = markets_.Check(*market, kMarketKey);
  if (!served.ok()) return Refuse(*method, &proof->principal, served);
  return Admission{method, *std::move(proof), *std::move(permission)};
}

absl::Status CallGuard::AdmitRequest(const Admission& admission,
                                     const google::protobuf::Message& request) {
  const absl::Status status =
      identity::Authorize(&admission.caller(), *admission.method, &request).status();
  if (status.ok()) return status;
  return Refuse(*admission.method, &admission.caller(), status);
}

absl::StatusOr<Admission> CallGuard::Admit(const grpc::ServerContextBase& context,
                                           const google::protobuf::Message& request) const {
  absl::StatusOr<Admission> admission = AdmitCaller(context, *request.GetDescriptor());
  if (!admission.ok()) return admission;
  if (absl::Status status = AdmitRequest(*admission, request); !status.ok()) return status;
  return admission;
}

}  // namespace ridestream::rpc
