#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <utility>

#include "grpcpp/grpcpp.h"
#include "grpcpp/support/client_callback.h"
#include "libs/base/mutex.h"
#include "libs/base/timer_queue.h"

namespace ridestream::rpc {

/// The client's side of a server stream that is followed for ever: when it ends it is opened again
/// after a pause, from where its owner then stands.
///
/// Thread-safe. The functions are called without a lock, one at a time.
template <class Request, class Response>
class FollowStream {
 public:
  struct Options {
    /// Fills the request in, and starts the call on a stub:
    /// `stub.async()->Follow(context, request, reactor)`.
    std::function<void(grpc::ClientContext*, Request*, grpc::ClientReadReactor<Response>*)> open;
    /// Takes a message. False: it can't be taken now; the stream is closed and opened again later.
    std::function<bool(Response&)> on_message;
    std::chrono::milliseconds reopen_after{200};
    /// Told when a stream ended that wasn't stopped, with the reason.
    std::function<void(const grpc::Status&)> on_end = nullptr;
  };

  FollowStream(TimerQueue& timers, Options options)
      : timers_(timers), options_(std::move(options)) {
    MutexLock lock(mu_);
    Open();
  }
  ~FollowStream() { Stop(); }

  /// Cancels what is open and waits until it has ended.
  void Stop() {
    TimerQueue::Handle reopen = 0;
    {
      MutexLock lock(mu_);
      stopping_ = true;
      reopen = reopen_timer_;
      if (call_ != nullptr) call_->context.TryCancel();
    }
    timers_.Cancel(reopen);
    MutexLock lock(mu_);
    while (call_ != nullptr) ended_.Wait(mu_);
  }

 private:
  /// One stream, from opening to OnDone. Owned by `call_`.
  struct Call final : grpc::ClientReadReactor<Response> {
    explicit Call(FollowStream& stream_in) : stream(stream_in) {}
    void OnReadDone(bool ok) override {
      if (!ok) return;
      if (stream.options_.on_message(response)) {
        this->StartRead(&response);
      } else {
        context.TryCancel();
      }
    }
    void OnDone(const grpc::Status& status) override { stream.OnDone(status); }

    FollowStream& stream;
    grpc::ClientContext context;
    Request request;
    Response response;
  };

  void Open() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    call_ = std::make_unique<Call>(*this);
    options_.open(&call_->context, &call_->request, call_.get());
    call_->StartRead(&call_->response);
    call_->StartCall();
  }

  void OnDone(const grpc::Status& status) {
    bool asked_for = false;
    {
      MutexLock lock(mu_);
      asked_for = stopping_;
    }
    if (!asked_for && options_.on_end) options_.on_end(status);
    MutexLock lock(mu_);
    call_.reset();
    if (!stopping_) {
      reopen_timer_ = timers_.After(options_.reopen_after, [this] {
        MutexLock inner(mu_);
        reopen_timer_ = 0;
        if (!stopping_) Open();
      });
    }
    ended_.SignalAll();
  }

  TimerQueue& timers_;
  const Options options_;
  Mutex mu_;
  CondVar ended_;
  std::unique_ptr<Call> call_ ABSL_GUARDED_BY(mu_);
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  TimerQueue::Handle reopen_timer_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace ridestream::rpc
