#include "services/dispatch/rpc/dispatch_service.h"

#include "libs/rpc/status.h"

namespace ridestream::dispatch {
namespace {

using Reactor = grpc::ServerBidiReactor<v1::DriveRequest, v1::DriveResponse>;

/// Ends a call that never became a stream.
class RefusedStream final : public Reactor {
 public:
  explicit RefusedStream(const grpc::Status& status) { Finish(status); }
  void OnDone() override { delete this; }
};

}  // namespace

Reactor* DispatchService::Drive(grpc::CallbackServerContext* context) {
  const absl::StatusOr<rpc::Caller> caller =
      rpc::RequireCaller(authenticator_, *context, rpc::CallerKind::kDriver);
  if (!caller.ok()) return new RefusedStream(rpc::ToGrpcStatus(caller.status(), context));
  auto stream = registry_.Open(*context, DriverId(caller->id));
  if (!stream.ok()) return new RefusedStream(rpc::ToGrpcStatus(stream.status(), context));
  (*stream)->Begin();
  return stream->get();
}

}  // namespace ridestream::dispatch
