#include "libs/rpc/limiting_authenticator.h"

#include <fmt/format.h>

#include <algorithm>

#include "libs/rpc/status.h"

namespace ridestream::rpc {

LimitingAuthenticator::LimitingAuthenticator(const Authenticator& inner, double calls_per_s)
    : inner_(inner),
      calls_per_s_(calls_per_s),
      limiter_({.per_s = calls_per_s, .burst = std::max(1.0, 2 * calls_per_s)}) {}

absl::StatusOr<Caller> LimitingAuthenticator::Authenticate(
    const grpc::ServerContextBase& context) const {
  absl::StatusOr<Caller> caller = inner_.Authenticate(context);
  if (!caller.ok() || caller->kind == CallerKind::kService) return caller;
  const std::string name =
      fmt::format("{}/{}", caller->kind == CallerKind::kRider ? "rider" : "driver", caller->id);
  const auto wait = limiter_.Take(name, RateLimiter::Wall::now());
  if (!wait) return caller;
  return WithRetryAfter(absl::ResourceExhaustedError(fmt::format(
                            "{} makes more than {:g} calls a second", name, calls_per_s_)),
                        *wait);
}

}  // namespace ridestream::rpc
