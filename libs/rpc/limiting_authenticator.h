#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "libs/rpc/caller.h"
#include "libs/rpc/rate_limiter.h"

namespace ridestream::rpc {

/// Limits the calls per second of each rider, driver and viewer, with bursts of twice as many.
/// Further calls get RESOURCE_EXHAUSTED with a retry-after. A stream counts once, when it is
/// opened. Services aren't limited, because they only call as a result of other calls, and neither
/// are operators. Thread-safe.
class LimitingAuthenticator final : public Authenticator {
 public:
  /// `inner` identifies the caller and must outlive this object. 0 calls per second means no limit.
  LimitingAuthenticator(const Authenticator& inner, double calls_per_s);

  absl::StatusOr<Proof> Authenticate(const grpc::ServerContextBase& context) const override;
  absl::Status CheckOpenStream(const Proof& proof) const override {
    return inner_.CheckOpenStream(proof);
  }
  std::string ClientPeer(const grpc::ServerContextBase& context) const override {
    return inner_.ClientPeer(context);
  }
  std::string description() const override { return inner_.description(); }

 private:
  const Authenticator& inner_;
  const double calls_per_s_;
  mutable RateLimiter limiter_;  // Mutable, because authenticating a call counts it.
};

}  // namespace ridestream::rpc
