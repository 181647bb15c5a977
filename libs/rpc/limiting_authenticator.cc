#include "libs/rpc/limiting_authenticator.h"

#include <fmt/format.h>

#include <algorithm>

#include "libs/rpc/status.h"

namespace ridestream::rpc {

LimitingAuthenticator::LimitingAuthenticator(const Authenticator& inner, double calls_per_s)
    : inner_(inner),
      calls_per_s_(calls_per_s),
      limiter_({.per_s = calls_per_s, .burst = std::max(1.0, 2 * calls_per_s)}) {}

absl::StatusOr<Proof> LimitingAuthenticator::Authenticate(
    const grpc::ServerContextBase& context) const {
  absl::StatusOr<Proof> proof = inner_.Authenticate(context);
  if (!proof.ok() || proof->principal.role == CallerKind::kService ||
      proof->principal.role == CallerKind::kOperator) {
    return proof;
  }
  const std::string name = identity::Name(proof->principal);
  const auto wait = limiter_.Take(name, RateLimiter::Wall::now());
  if (!wait) return proof;
  return WithRetryAfter(absl::ResourceExhaustedError(
                            fmt::format("{} exceeds {:g} calls per second", name, calls_per_s_)),
                        *wait);
}

}  // namespace ridestream::rpc
