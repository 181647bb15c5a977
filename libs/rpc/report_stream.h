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

/// The client's side of a client stream that is held for ever: what waits is fetched from its owner
/// batch by batch, so batches grow by themselves when the other side is slower, and the owner
/// decides what to keep. A stream that breaks is opened again after a pause; the batch in flight is
/// lost.
///
/// Thread-safe. `fill` and `open` are called without a lock, one at a time.
template <class Request, class Response>
class ReportStream {
 public:
  struct Options {
    /// Starts the call on a stub: `stub.async()->Report(context, response, reactor)`.
    std::function<void(grpc::ClientContext*, Response*, grpc::ClientWriteReactor<Request>*)> open;
    /// Puts the next batch into the request, whose old content may be reused. False: nothing waits.
    std::function<bool(Request*)> fill;
    /// How long the first of a batch waits for others.
    std::chrono::microseconds linger{2'000};
    std::chrono::milliseconds reopen_after{200};
    /// Told when a stream ended that wasn't stopped, with the reason.
    std::function<void(const grpc::Status&)> on_end = nullptr;
  };

  ReportStream(TimerQueue& timers, Options options)
      : timers_(timers), options_(std::move(options)) {
    MutexLock lock(mu_);
    Open();
  }
  ~ReportStream() { Stop(); }

  /// Says that something waits. Cheap enough, but best called only when the first thing begins to
  /// wait.
  void Wake() {
    MutexLock lock(mu_);
    something_waits_ = true;
    ArmLinger();
  }

  /// Cancels what is open and waits until it has ended. What still waits is not sent.
  void Stop() {
    TimerQueue::Handle linger = 0;
    TimerQueue::Handle reopen = 0;
    {
      MutexLock lock(mu_);
      stopping_ = true;
      linger = linger_timer_;
      reopen = reopen_timer_;
      if (call_ != nullptr) {
        call_->context.TryCancel();
        if (!writing_) LetGo();
      }
    }
    timers_.Cancel(linger);
    timers_.Cancel(reopen);
    MutexLock lock(mu_);
    while (call_ != nullptr) ended_.Wait(mu_);
  }

 private:
  /// One stream, from opening to OnDone. Owned by `call_`.
  struct Call final : grpc::ClientWriteReactor<Request> {
    explicit Call(ReportStream& stream_in) : stream(stream_in) {}
    void OnWriteDone(bool ok) override { stream.OnWriteDone(ok); }
    void OnDone(const grpc::Status& status) override { stream.OnDone(status); }

    ReportStream& stream;
    grpc::ClientContext context;
    Request request;
    Response response;
  };

  void Open() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    call_ = std::make_unique<Call>(*this);
    writing_ = false;
    failed_ = false;
    held_ = true;
    options_.open(&call_->context, &call_->response, call_.get());
    // The hold stands for the writes that are still to come from outside a reaction.
    call_->AddHold();
    call_->StartCall();
    ArmLinger();
  }

  void ArmLinger() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (!something_waits_ || writing_ || failed_ || stopping_ || call_ == nullptr ||
        linger_timer_ != 0) {
      return;
    }
    linger_timer_ = timers_.After(options_.linger, [this] {
      {
        MutexLock lock(mu_);
        linger_timer_ = 0;
        if (writing_ || failed_ || stopping_ || call_ == nullptr) return;
        writing_ = true;
      }
      WriteNext();
    });
  }

  /// Called by whoever set `writing_`.
  void WriteNext() {
    while (true) {
      Call* call = nullptr;
      {
        MutexLock lock(mu_);
        something_waits_ = false;
        call = call_.get();
      }
      const bool filled = options_.fill(&call->request);
      MutexLock lock(mu_);
      if (filled && !failed_ && !stopping_) {
        call->StartWrite(&call->request);
        return;
      }
      if (something_waits_ && !failed_ && !stopping_) continue;
      writing_ = false;
      if (failed_ || stopping_) LetGo();
      return;
    }
  }

  void OnWriteDone(bool ok) {
    {
      MutexLock lock(mu_);
      if (!ok || stopping_) {
        failed_ = true;
        writing_ = false;
        something_waits_ = true;  // For the next stream: there may be more than the lost batch.
        LetGo();
        return;
      }
    }
    WriteNext();
  }

  void LetGo() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (std::exchange(held_, false)) call_->RemoveHold();
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
  bool something_waits_ ABSL_GUARDED_BY(mu_) = false;
  bool writing_ ABSL_GUARDED_BY(mu_) = false;
  bool failed_ ABSL_GUARDED_BY(mu_) = false;
  bool held_ ABSL_GUARDED_BY(mu_) = false;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  TimerQueue::Handle linger_timer_ ABSL_GUARDED_BY(mu_) = 0;
  TimerQueue::Handle reopen_timer_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace ridestream::rpc
