#include "libs/rpc/caller.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "libs/base/validation.h"
#include "libs/rpc/client_security.h"

namespace ridestream::rpc {
namespace {

constexpr CallerKind kKinds[] = {CallerKind::kRider, CallerKind::kDriver, CallerKind::kOperator,
                                 CallerKind::kViewer, CallerKind::kService};

}  // namespace

absl::StatusOr<Proof> TrustingAuthenticator::Authenticate(
    const grpc::ServerContextBase& context) const {
  const auto& metadata = context.client_metadata();
  // A call with two names is rejected: a proxy may have added the second name, or a client the
  // first.
  if (metadata.count(kCallerKey) > 1) {
    return absl::UnauthenticatedError(
        fmt::format("metadata '{}' was sent more than once", kCallerKey));
  }
  const auto found = metadata.find(kCallerKey);
  if (found == metadata.end()) {
    return absl::UnauthenticatedError(
        fmt::format("metadata '{}' is missing; send e.g. 'rider/r-17'", kCallerKey));
  }
  const std::string_view value(found->second.data(), found->second.size());
  for (const CallerKind kind : kKinds) {
    const std::string_view name = identity::RoleName(kind);
    if (!value.starts_with(name) || value.size() <= name.size() || value[name.size()] != '/') {
      continue;
    }
    Caller caller{kind, std::string(value.substr(name.size() + 1))};
    if (absl::Status status = ValidateId(caller.id, kCallerKey); !status.ok()) return status;
    return LastingProof(std::move(caller));
  }
  return absl::UnauthenticatedError(
      fmt::format("metadata '{}' must be rider/ID, driver/ID, operator/ID, viewer/ID or service/ID",
                  kCallerKey));
}

Proof LastingProof(Caller caller) {
  return {.principal = std::move(caller), .token_id = "", .expires_at = Time::max()};
}

void SetCaller(grpc::ClientContext& context, const Caller& caller) {
  if (const std::string token = TokenFor(caller); !token.empty()) {
    context.AddMetadata("authorization", "Bearer " + token);
  } else {
    context.AddMetadata(kCallerKey, identity::Name(caller));
  }
}

}  // namespace ridestream::rpc
