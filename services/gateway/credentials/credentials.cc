#include "services/gateway/credentials/credentials.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "libs/identity/development_authority.h"
#include "libs/rpc/caller.h"
#include "libs/rpc/rate_limiter.h"
#include "libs/service/service.h"

namespace ridestream::gateway {
namespace {

constexpr std::string_view kAuthorization = "authorization";
constexpr std::string_view kScheme = "Bearer ";

CallerClass ClassOf(identity::Role role) {
  switch (role) {
    case identity::Role::kRider:
      return CallerClass::kRider;
    case identity::Role::kDriver:
      return CallerClass::kDriver;
    case identity::Role::kOperator:
    case identity::Role::kViewer:
    case identity::Role::kService:
      break;
  }
  return CallerClass::kOther;
}

/// Without the fields that name the caller.
Headers WithoutCaller(const Headers& metadata) {
  Headers rest;
  for (const auto& [name, value] : metadata) {
    if (!SameName(name, kAuthorization) && !SameName(name, rpc::kCallerKey)) rest.Add(name, value);
  }
  return rest;
}

}  // namespace

absl::Status Credentials::Prove(const Headers& request, CallOptions& call) const {
  if (anonymizer_ == nullptr) return absl::UnauthenticatedError("nobody may call here");
  if (tokens_ == nullptr) {
    Trust(call);
    return absl::OkStatus();
  }
  const absl::Status status = Check(request, call);
  static rpc::RateLimiter log_limiter({.per_s = 10, .burst = 100});
  if (!status.ok() && !log_limiter.Take("", rpc::RateLimiter::Wall::now())) {
    service::Log(service::Level::kWarning, "call_refused",
                 {{"request_id", call.request_id}, {"error", status.ToString()}});
  }
  return status;
}

absl::Status Credentials::Check(const Headers& request, CallOptions& call) const {
  std::string token;
  if (call.metadata.Has(kAuthorization)) {
    const std::string_view value = call.metadata.Get(kAuthorization);
    if (!absl::StartsWithIgnoreCase(absl::string_view(value.data(), value.size()),
                                    absl::string_view(kScheme.data(), kScheme.size()))) {
      return absl::UnauthenticatedError("authorization: must be 'Bearer' and a token");
    }
    token = value.substr(kScheme.size());
  } else {
    const auto session = sessions_ == nullptr ? std::nullopt : sessions_->Find(request);
    if (!session) {
      if (sessions_ == nullptr) {
        return absl::UnauthenticatedError("authorization: a bearer token is required");
      }
      return absl::UnauthenticatedError(
          sessions_->has_codes()
              ? "not signed in: open the address with a one-time code that the "
                "gateway printed, or send a bearer token"
              : "not signed in: sign in on the live map, or send a bearer token");
    }
    auto minted = sessions_->MintToken(*session, RevealDriver(call.metadata.Get(rpc::kCallerKey)));
    if (!minted.ok()) return minted.status();
    token = *std::move(minted);
  }
  const auto claims = tokens_->Verify(token);
  if (!claims.ok()) return claims.status();
  call.metadata = WithoutCaller(call.metadata);
  call.metadata.Add(kAuthorization, absl::StrCat("Bearer ", token));
  call.caller_class = ClassOf(claims->principal.role);
  call.caller = {claims->principal, anonymizer_};
  return absl::OkStatus();
}

void Credentials::Trust(CallOptions& call) const {
  const std::string name = RevealDriver(call.metadata.Get(rpc::kCallerKey));
  const auto principal = identity::ParsePrincipal(name);
  if (!principal.ok()) return;  // The service reports what is wrong with it.
  Headers metadata;
  for (const auto& [field, value] : call.metadata) {
    metadata.Add(field, SameName(field, rpc::kCallerKey) ? name : value);
  }
  call.metadata = std::move(metadata);
  call.caller = {*principal, anonymizer_};
}

std::string Credentials::RevealDriver(std::string_view caller) const {
  constexpr std::string_view kDriver = "driver/";
  if (caller.starts_with(kDriver)) {
    const auto id = anonymizer_->pseudonyms().Reveal(caller.substr(kDriver.size()));
    if (id) return absl::StrCat(absl::string_view(kDriver.data(), kDriver.size()), *id);
  }
  return std::string(caller);
}

}  // namespace ridestream::gateway
