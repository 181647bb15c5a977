#pragma once

#include <chrono>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "grpcpp/grpcpp.h"
#include "libs/rpc/call_guard.h"
#include "libs/rpc/status.h"
#include "services/trip/domain/trip_store.h"

namespace ridestream::trip {

/// The deadline of a call, on the monotonic clock.
inline TripStore::Deadline DeadlineOf(const grpc::CallbackServerContext& context) {
  const auto left = context.deadline() - std::chrono::system_clock::now();
  if (left > std::chrono::hours(24)) return TripStore::kNoDeadline;
  return std::chrono::steady_clock::now() +
         std::chrono::duration_cast<TripStore::Deadline::duration>(left);
}

/// The reply to a unary call, to be sent exactly once, from any thread. Copyable, so that it can be
/// passed along with the work.
class UnaryReply {
 public:
  /// `admission` is null for a call that was refused.
  UnaryReply(grpc::CallbackServerContext* context, std::shared_ptr<const rpc::Admission> admission)
      : context_(context), reactor_(context->DefaultReactor()), admission_(std::move(admission)) {}

  /// For gRPC.
  grpc::ServerUnaryReactor* reactor() const { return reactor_; }

  void Finish(absl::Status status) const {
    if (admission_ != nullptr) rpc::CallGuard::Audit(*admission_, status);
    constexpr std::chrono::milliseconds kPause{100};
    if (status.code() == absl::StatusCode::kResourceExhausted && !rpc::HasRetryAfter(status)) {
      status = rpc::WithRetryAfter(std::move(status), kPause);
    }
    reactor_->Finish(rpc::ToGrpcStatus(status, context_));
  }

  /// Sends a handler's result.
  template <class Response>
  auto WithResponse(Response* response) const {
    return [reply = *this, response](absl::StatusOr<Response> answer) {
      if (answer.ok()) *response = *std::move(answer);
      reply.Finish(answer.status());
    };
  }

 private:
  grpc::CallbackServerContext* const context_;
  grpc::ServerUnaryReactor* const reactor_;
  const std::shared_ptr<const rpc::Admission> admission_;  // Shared by the reply's copies.
};

}  // namespace ridestream::trip
