#pragma once

#include "libs/base/clock.h"
#include "libs/rpc/call_guard.h"
#include "libs/rpc/caller.h"
#include "ridestream/clock/v1/clock.grpc.pb.h"

namespace ridestream {

/// Serves this process's time to other services. Thread-safe; its arguments must outlive it.
class ClockService final : public clock::v1::ClockService::CallbackService {
 public:
  ClockService(const Clock& clock, const rpc::Authenticator& authenticator)
      : clock_(clock), guard_(authenticator) {}

  grpc::ServerUnaryReactor* GetTime(grpc::CallbackServerContext* context,
                                    const clock::v1::GetTimeRequest* request,
                                    clock::v1::GetTimeResponse* response) override;

 private:
  const Clock& clock_;
  const rpc::CallGuard guard_;
};

}  // namespace ridestream
