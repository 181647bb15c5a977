#include "services/dispatch/rpc/dispatch_service.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "libs/base/peer_address.h"
#include "libs/base/validation.h"
#include "libs/proto_values/proto_values.h"
#include "libs/rpc/status.h"

namespace ridestream::dispatch {
namespace {

using Reactor = grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>;

/// Ends a call that never became a stream.
class RefusedStream final : public Reactor {
 public:
  RefusedStream(const grpc::Status& status, rpc::CallObserver* observer)
      : code_(status.error_code()), observer_(observer) {
    Finish(status);
  }
  void OnDone() override {
    if (observer_ != nullptr) {
      observer_->CallEnded(kDriveMethod, code_, std::chrono::nanoseconds(0), /*trace=*/{});
    }
    delete this;
  }

 private:
  const grpc::StatusCode code_;
  rpc::CallObserver* const observer_;
};

}  // namespace

Reactor* DispatchService::Drive(grpc::CallbackServerContext* context) {
  if (observer_ != nullptr) observer_->CallBegan(kDriveMethod);
  const auto refuse = [&](const absl::Status& status) {
    return new RefusedStream(rpc::ToGrpcStatus(status, context), observer_);
  };
  const auto admission = guard_.AdmitCaller<v1::DriveRequest>(*context);
  if (!admission.ok()) return refuse(admission.status());
  auto call = std::make_unique<DriveCall>(*context, *admission);
  const auto stream =
      registry_.Open(*call, DriverId(admission->caller().id), ParsePeer(admission->peer));
  if (!stream.ok()) return refuse(stream.status());
  proofs_.Add<DriveStream>(*admission, *stream, [](DriveStream& ending, const absl::Status& why) {
    v1::Goodbye goodbye;
    goodbye.set_reason(v1::GOODBYE_REASON_PROOF_ENDED);
    *goodbye.mutable_reconnect_after() = ToProto(Duration::zero());  // At once.
    ending.SendGoodbye(std::move(goodbye), why);
  });
  call->Begin(*stream, observer_);
  return call.release();  // It deletes itself.
}

grpc::ServerUnaryReactor* DispatchService::GetDriver(grpc::CallbackServerContext* context,
                                                     const v1::GetDriverRequest* request,
                                                     v1::GetDriverResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  reactor->Finish(rpc::ToGrpcStatus(Describe(*context, *request, *response), context));
  return reactor;
}

grpc::ServerUnaryReactor* DispatchService::GetOfferStats(grpc::CallbackServerContext* context,
                                                         const v1::GetOfferStatsRequest* request,
                                                         v1::GetOfferStatsResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  reactor->Finish(rpc::ToGrpcStatus(DescribeOffers(*context, *request, *response), context));
  return reactor;
}

absl::Status DispatchService::DescribeOffers(const grpc::CallbackServerContext& context,
                                             const v1::GetOfferStatsRequest& request,
                                             v1::GetOfferStatsResponse& response) const {
  const auto admission = guard_.Admit(context, request);
  if (!admission.ok()) return admission.status();
  const std::string& market = request.market();
  if (absl::Status status = ValidateId(market, "market"); !status.ok()) return status;
  const OfferTimes* const times = registry_.FindOfferTimes(MarketId(market));
  if (times == nullptr) return registry_.markets().Check(market, "market");
  const OfferTimes::Summary summary = times->Summarize();
  response.set_acked(summary.acked);
  if (summary.acked == 0) return absl::OkStatus();
  *response.mutable_p50() = ToProto(std::chrono::floor<Duration>(summary.p50));
  *response.mutable_p99() = ToProto(std::chrono::floor<Duration>(summary.p99));
  return absl::OkStatus();
}

absl::Status DispatchService::Describe(const grpc::CallbackServerContext& context,
                                       const v1::GetDriverRequest& request,
                                       v1::GetDriverResponse& response) const {
  const auto admission = guard_.Admit(context, request);
  if (!admission.ok()) return admission.status();
  const std::string& driver_id = request.driver_id();
  if (absl::Status status = ValidateId(driver_id, "driver_id"); !status.ok()) return status;
  const std::shared_ptr<DriverSession> session = registry_.Find(DriverId(driver_id));
  if (session == nullptr || !admission->may_touch(session->market().str())) {
    return absl::NotFoundError(fmt::format("driver {} has no session in this process", driver_id));
  }
  response = session->Describe();
  return absl::OkStatus();
}

}  // namespace ridestream::dispatch
