#include "libs/peer_clock/clock_service.h"

#include "libs/proto_values/proto_values.h"
#include "libs/rpc/status.h"

namespace ridestream {

grpc::ServerUnaryReactor* ClockService::GetTime(grpc::CallbackServerContext* context,
                                                const clock::v1::GetTimeRequest* request,
                                                clock::v1::GetTimeResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  const auto admission = guard_.Admit(*context, *request);
  if (admission.ok()) {
    *response->mutable_now() = ToProto(clock_.Now());
    response->set_clock_rate(clock_.rate());
  }
  reactor->Finish(rpc::ToGrpcStatus(admission.status(), context));
  return reactor;
}

}  // namespace ridestream
