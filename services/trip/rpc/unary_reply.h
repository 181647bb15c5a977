#pragma once

#include <chrono>
#include <functional>
#include <utility>

#include "absl/status/status.h"
#include "grpcpp/grpcpp.h"
#include "libs/rpc/status.h"
#include "services/trip/domain/trip_store.h"
#include "services/trip/rpc/worker_pool.h"

namespace ridestream::trip {

/// The deadline of a call, on the clock that doesn't jump.
inline TripStore::Deadline DeadlineOf(const grpc::CallbackServerContext& context) {
  const auto left = context.deadline() - std::chrono::system_clock::now();
  if (left > std::chrono::hours(24)) return TripStore::kNoDeadline;
  return std::chrono::steady_clock::now() +
         std::chrono::duration_cast<TripStore::Deadline::duration>(left);
}

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

  /// When the caller stops waiting, for the store.
  TripStore::Deadline deadline() const { return DeadlineOf(*context_); }

  static absl::Status TooBusy() {
    return absl::ResourceExhaustedError("too many calls wait; try again later");
  }

 private:
  grpc::CallbackServerContext* const context_;
  grpc::ServerUnaryReactor* const reactor_;
};

}  // namespace ridestream::trip
