#include "libs/rpc/caller.h"

#include <fmt/format.h>

#include <string_view>

#include "libs/base/validation.h"

namespace ridestream::rpc {
namespace {

constexpr std::string_view KindName(CallerKind kind) {
  switch (kind) {
    case CallerKind::kRider:
      return "rider";
    case CallerKind::kDriver:
      return "driver";
    case CallerKind::kService:
      return "service";
  }
  return "unknown";
}

}  // namespace

absl::StatusOr<Caller> TrustingAuthenticator::Authenticate(
    const grpc::ServerContextBase& context) const {
  const auto& metadata = context.client_metadata();
  // A caller that is named twice is not known: a proxy may have added the second name, or a client
  // the first.
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
  for (const CallerKind kind : {CallerKind::kRider, CallerKind::kDriver, CallerKind::kService}) {
    const std::string_view name = KindName(kind);
    if (!value.starts_with(name) || value.size() <= name.size() || value[name.size()] != '/') {
      continue;
    }
    Caller caller{kind, std::string(value.substr(name.size() + 1))};
    if (absl::Status status = ValidateId(caller.id, kCallerKey); !status.ok()) return status;
    return caller;
  }
  return absl::UnauthenticatedError(
      fmt::format("metadata '{}' must be rider/ID, driver/ID or service/ID", kCallerKey));
}

void SetCaller(grpc::ClientContext& context, const Caller& caller) {
  context.AddMetadata(kCallerKey, fmt::format("{}/{}", KindName(caller.kind), caller.id));
}

absl::StatusOr<Caller> RequireCaller(const Authenticator& authenticator,
                                     const grpc::ServerContextBase& context, CallerKind kind) {
  absl::StatusOr<Caller> caller = authenticator.Authenticate(context);
  if (caller.ok() && caller->kind != kind) {
    return absl::PermissionDeniedError(fmt::format("this call is for a {}, not for {}/{}",
                                                   KindName(kind), KindName(caller->kind),
                                                   caller->id));
  }
  return caller;
}

}  // namespace ridestream::rpc
