#pragma once

#include <chrono>
#include <functional>
#include <utility>

#include "absl/status/status.h"
#include "grpcpp/grpcpp.h"
#include "libs/rpc/status.h"
#include "services/trip/rpc/worker_pool.h"

namespace ridestream::trip {

/// The answer to a unary call, to be given once, from any thread. Copyable, so that it can go along
/// with the work.
class UnaryReply {
 public:
  explicit UnaryReply(grpc::CallbackServerContext* context)
      : context_(context), reactor_(context->DefaultReactor()) {}

  /// For gRPC.
  grpc::ServerUnaryReactor* reactor() const { return reactor_; }

  void Finish(absl::Status status) const {
    constexpr std::chrono::milliseconds kPause{100};
    if (status.code() == absl::StatusCode::kResourceExhausted && !rpc::HasRetryAfter(status)) {
      status = rpc::WithRetryAfter(std::move(status), kPause);
    }
    reactor_->Finish(rpc::ToGrpcStatus(status, context_));
  }

  /// Answers with what `work()` returns on a thread of the pool, unless the caller has gone by
  /// then.
  void RunOn(WorkerPool& pool, std::function<absl::Status()> work) const {
    const bool runs = pool.TryRun([reply = *this, work = std::move(work)] {
      reply.Finish(reply.context_->IsCancelled()
                       ? absl::CancelledError("the caller has gone or its deadline has passed")
                       : work());
    });
    if (!runs) Finish(TooBusy());
  }

  static absl::Status TooBusy() {
    return absl::ResourceExhaustedError("too many calls wait; try again later");
  }

 private:
  grpc::CallbackServerContext* const context_;
  grpc::ServerUnaryReactor* const reactor_;
};

}  // namespace ridestream::trip
