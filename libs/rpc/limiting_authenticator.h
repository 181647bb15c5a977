#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "libs/rpc/caller.h"
#include "libs/rpc/rate_limiter.h"

namespace ridestream::rpc {

/// Lets each rider and each driver make so many calls a second, at most twice as many at once; one
/// more gets RESOURCE_EXHAUSTED with a retry-after. A stream counts once, when it is opened.
/// Services aren't limited: what they send is bounded by what they are sent. Thread-safe.
class LimitingAuthenticator final : public Authenticator {
 public:
  /// `inner` says who calls, and must outlive it. 0 calls a second is no limit.
  LimitingAuthenticator(const Authenticator& inner, double calls_per_s);

  absl::StatusOr<Caller> Authenticate(const grpc::ServerContextBase& context) const override;
  std::string description() const override { return inner_.description(); }

 private:
  const Authenticator& inner_;
  const double calls_per_s_;
  mutable RateLimiter limiter_;  // To authenticate is to count.
};

}  // namespace ridestream::rpc
