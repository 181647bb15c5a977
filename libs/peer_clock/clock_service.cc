#include "libs/peer_clock/clock_service.h"

#include "google/protobuf/util/time_util.h"
#include "libs/rpc/status.h"

namespace ridestream {

grpc::ServerUnaryReactor* ClockService::GetTime(grpc::CallbackServerContext* context,
                                                const clock::v1::GetTimeRequest*,
                                                clock::v1::GetTimeResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  const auto caller = rpc::RequireCaller(authenticator_, *context, rpc::CallerKind::kService);
  if (caller.ok()) {
    *response->mutable_now() = google::protobuf::util::TimeUtil::MicrosecondsToTimestamp(
        clock_.Now().time_since_epoch().count());
    response->set_clock_rate(clock_.rate());
  }
  reactor->Finish(rpc::ToGrpcStatus(caller.status(), context));
  return reactor;
}

}  // namespace ridestream
