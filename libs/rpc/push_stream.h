#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "grpcpp/grpcpp.h"
#include "libs/base/mutex.h"

namespace ridestream::rpc {

/// The server's side of a server stream, for all of them: a bounded queue of messages none of which
/// may be lost, beside one slot in which the latest replaces the older.
///
/// Shared: publishers hold references, and gRPC holds one (`self_`) until OnDone. Thread-safe; all
/// state is guarded by `mu_`, and nothing of ours is called under it.
template <class Response>
class PushStream final : public grpc::ServerWriteReactor<Response> {
 public:
  struct Options {
    /// Messages that may wait; one more ends the stream with RESOURCE_EXHAUSTED.
    size_t max_queue = 1024;
    /// Called once when gRPC has let go of the stream, on a thread of gRPC's.
    std::function<void()> on_done = nullptr;
    /// Called after a write completed and the queue is empty, on a thread of gRPC's: a pump may
    /// push more.
    std::function<void()> on_drained = nullptr;
  };

  /// The handler returns the raw pointer to gRPC.
  static std::shared_ptr<PushStream> Make(Options options) {
    auto stream = std::shared_ptr<PushStream>(new PushStream(std::move(options)));
    stream->self_ = stream;
    return stream;
  }

  /// Appends a message that must not be lost.
  void Push(Response message) {
    MutexLock lock(mu_);
    if (final_status_) return;
    if (queue_.size() >= options_.max_queue) {
      queue_.clear();
      latest_.reset();
      final_status_ = grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED,
                                   "the reader is too slow for this stream; open it again");
    } else {
      queue_.push_back(std::move(message));
    }
    Advance();
  }

  /// Sets what is to be said last, in place of what waits there unsent.
  void Replace(Response message) {
    MutexLock lock(mu_);
    if (final_status_) return;
    latest_ = std::move(message);
    Advance();
  }

  /// Ends the stream after what waits has been written.
  void Close(grpc::Status status) {
    MutexLock lock(mu_);
    if (!final_status_) final_status_ = std::move(status);
    Advance();
  }

  void OnWriteDone(bool ok) override {
    bool drained = false;
    {
      MutexLock lock(mu_);
      writing_ = false;
      if (!ok) Abandon();
      Advance();
      drained = !writing_ && !final_status_;
    }
    if (drained && options_.on_drained) options_.on_drained();
  }

  void OnCancel() override {
    MutexLock lock(mu_);
    Abandon();
    Advance();
  }

  void OnDone() override {
    if (options_.on_done) options_.on_done();
    self_.reset();  // Last: may delete this.
  }

 private:
  explicit PushStream(Options options) : options_(std::move(options)) {}

  void Abandon() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    queue_.clear();
    latest_.reset();
    if (!final_status_) final_status_ = grpc::Status::CANCELLED;
  }

  void Advance() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (writing_ || finished_) return;
    if (!queue_.empty()) {
      in_flight_ = std::move(queue_.front());
      queue_.pop_front();
    } else if (latest_) {
      in_flight_ = std::move(*latest_);
      latest_.reset();
    } else {
      if (final_status_) {
        finished_ = true;
        this->Finish(*final_status_);
      }
      return;
    }
    writing_ = true;
    this->StartWrite(&in_flight_);
  }

  const Options options_;
  Mutex mu_;
  std::deque<Response> queue_ ABSL_GUARDED_BY(mu_);
  std::optional<Response> latest_ ABSL_GUARDED_BY(mu_);
  std::optional<grpc::Status> final_status_ ABSL_GUARDED_BY(mu_);
  Response in_flight_ ABSL_GUARDED_BY(mu_);
  bool writing_ ABSL_GUARDED_BY(mu_) = false;
  bool finished_ ABSL_GUARDED_BY(mu_) = false;
  std::shared_ptr<PushStream> self_;
};

}  // namespace ridestream::rpc
