#include "libs/rpc/call_observer.h"

#include <optional>
#include <utility>

#include "libs/rpc/status.h"
#include "libs/tracing/process_tracer.h"

namespace ridestream::rpc {
namespace {

using SteadyClock = std::chrono::steady_clock;
using grpc::experimental::InterceptionHookPoints;

/// Intercepts one call. gRPC owns it and destroys it with the call's context.
class CallInterceptor final : public grpc::experimental::Interceptor {
 public:
  /// `traced` is the context of a call that gets a span, else null.
  CallInterceptor(CallObserver* observer, std::string_view method,
                  const grpc::ServerContextBase* traced, const MayForceSampling& may_force)
      : observer_(observer),
        method_(method),
        traced_(traced),
        may_force_(may_force),
        began_(SteadyClock::now()) {
    if (observer_ != nullptr) observer_->CallBegan(method_);
  }
  ~CallInterceptor() override {
    if (observer_ == nullptr) return;
    observer_->CallEnded(method_, code_, (answered_ ? answered_at_ : SteadyClock::now()) - began_,
                         span_ ? span_->sampled_trace() : tracing::TraceId());
  }

  void Intercept(grpc::experimental::InterceptorBatchMethods* batch) override {
    if (traced_ != nullptr &&
        batch->QueryInterceptionHookPoint(InterceptionHookPoints::POST_RECV_INITIAL_METADATA)) {
      span_.emplace(*traced_, method_, *batch->GetRecvInitialMetadata(), may_force_);
    }
    // A stream that has ended has no further message either, but then there is no answer to
    // replace.
    if (batch->QueryInterceptionHookPoint(InterceptionHookPoints::POST_RECV_MESSAGE) &&
        batch->GetRecvMessage() == nullptr) {
      malformed_ = true;
    }
    if (batch->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_STATUS)) {
      if (malformed_ && batch->GetSendStatus().error_code() == grpc::StatusCode::UNIMPLEMENTED) {
        batch->ModifySendStatus(MalformedMessage());
      }
      code_ = batch->GetSendStatus().error_code();
      answered_ = true;
      answered_at_ = SteadyClock::now();
      if (span_) span_->End(batch->GetSendStatus());
    }
    batch->Proceed();
  }

 private:
  CallObserver* const observer_;
  const std::string_view method_;
  const grpc::ServerContextBase* const traced_;
  const MayForceSampling& may_force_;
  const SteadyClock::time_point began_;
  // Batches of one call that have a status never run concurrently.
  grpc::StatusCode code_ = grpc::StatusCode::CANCELLED;
  bool malformed_ = false;
  bool answered_ = false;
  SteadyClock::time_point answered_at_;
  std::optional<ServerSpan> span_;
};

class CallInterceptorFactory final : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  CallInterceptorFactory(CallObserver* observer, std::set<std::string, std::less<>> except,
                         MayForceSampling may_force)
      : observer_(observer), except_(std::move(except)), may_force_(std::move(may_force)) {}

  grpc::experimental::Interceptor* CreateServerInterceptor(
      grpc::experimental::ServerRpcInfo* info) override {
    // The name is that of the registered method and outlives the call.
    const std::string_view method(info->method());
    using Info = grpc::experimental::ServerRpcInfo;
    const bool one_request =
        info->type() == Info::Type::UNARY || info->type() == Info::Type::SERVER_STREAMING;
    if (except_.contains(method) || (observer_ == nullptr && !one_request)) return nullptr;
    // Health checks would outnumber all other calls, so they are not traced.
    const bool traced = tracing::ProcessTracer() != nullptr && info->type() == Info::Type::UNARY &&
                        !method.starts_with("/grpc.");
    return new CallInterceptor(observer_, method, traced ? info->server_context() : nullptr,
                               may_force_);
  }

 private:
  CallObserver* const observer_;
  const std::set<std::string, std::less<>> except_;
  const MayForceSampling may_force_;
};

}  // namespace

std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> MakeCallInterceptorFactory(
    CallObserver* observer, std::set<std::string, std::less<>> except,
    MayForceSampling may_force_sampling) {
  return std::make_unique<CallInterceptorFactory>(observer, std::move(except),
                                                  std::move(may_force_sampling));
}

}  // namespace ridestream::rpc
