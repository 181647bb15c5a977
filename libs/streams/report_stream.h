#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <utility>

#include "libs/base/mutex.h"
#include "libs/base/timer_port.h"
#include "libs/streams/stream_ports.h"

namespace ridestream::streams {

/// The client's side of a client stream that is held forever: queued data is fetched from its owner
/// batch by batch, so batches grow by themselves when the other side is slower, and the owner
/// decides what to keep. A stream that breaks is opened again after a pause; the batch in flight is
/// lost.
///
/// Thread-safe. The functions are called one at a time, and `fill` and `on_end` without a lock.
template <class Request>
class ReportStream final : private WriteListener {
 public:
  struct Options {
    /// Opens the stream. Must not call this back.
    std::function<std::unique_ptr<WriteStream<Request>>(WriteListener&)> open;
    /// Puts the next batch into the request, whose old content may be reused. False: nothing waits.
    std::function<bool(Request*)> fill;
    /// How long the first entry of a batch waits for others.
    std::chrono::microseconds linger{2'000};
    std::chrono::milliseconds reopen_after{200};
    /// Told when a stream ended that wasn't stopped, with the reason.
    std::function<void(const absl::Status&)> on_end = nullptr;
  };

  ReportStream(TimerPort& timers, Options options) : timers_(timers), options_(std::move(options)) {
    MutexLock lock(mu_);
    Open();
  }
  ~ReportStream() { Stop(); }

  /// Says that something waits. Cheap, but best called only for the first item that waits in the
  /// queue.
  void Wake() {
    MutexLock lock(mu_);
    something_waits_ = true;
    ArmLinger();
  }

  /// Cancels what is open and waits until it has ended. What still waits is not sent.
  void Stop() {
    TimerPort::Handle linger = 0;
    TimerPort::Handle reopen = 0;
    std::unique_ptr<WriteStream<Request>> stream;
    {
      MutexLock lock(mu_);
      stopping_ = true;
      linger = linger_timer_;
      reopen = reopen_timer_;
      stream = std::move(stream_);
    }
    timers_.Cancel(linger);
    timers_.Cancel(reopen);
  }

 private:
  void Open() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    writing_ = false;
    failed_ = false;
    stream_ = options_.open(*this);
    ArmLinger();
  }

  void ArmLinger() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (!something_waits_ || writing_ || failed_ || stopping_ || linger_timer_ != 0) return;
    linger_timer_ = timers_.After(options_.linger, [this] {
      {
        MutexLock lock(mu_);
        linger_timer_ = 0;
        if (writing_ || failed_ || stopping_) return;
        writing_ = true;
      }
      WriteNext();
    });
  }

  /// Called by whoever set `writing_`.
  void WriteNext() {
    while (true) {
      {
        MutexLock lock(mu_);
        something_waits_ = false;
      }
      const bool filled = options_.fill(&request_);
      MutexLock lock(mu_);
      if (filled && !failed_ && !stopping_) return stream_->Write(request_);
      if (something_waits_ && !failed_ && !stopping_) continue;
      writing_ = false;
      return;
    }
  }

  void OnWritten(bool ok) override {
    {
      MutexLock lock(mu_);
      if (!ok || stopping_) {
        failed_ = true;
        writing_ = false;
        something_waits_ = true;  // For the next stream: there may be more than the lost batch.
        return;
      }
    }
    WriteNext();
  }

  void OnEnded(const absl::Status& status) override {
    bool asked_for = false;
    {
      MutexLock lock(mu_);
      asked_for = stopping_;
      failed_ = true;
      something_waits_ = true;
    }
    if (!asked_for && options_.on_end) options_.on_end(status);
    MutexLock lock(mu_);
    if (!stopping_) reopen_timer_ = timers_.After(options_.reopen_after, [this] { Reopen(); });
  }

  void Reopen() {
    std::unique_ptr<WriteStream<Request>> ended;
    {
      MutexLock lock(mu_);
      ended = std::move(stream_);
    }
    ended.reset();  // Its transport may just be coming back from OnEnded.
    MutexLock lock(mu_);
    reopen_timer_ = 0;
    if (!stopping_) Open();
  }

  TimerPort& timers_;
  const Options options_;
  Request request_;  // Of the write under way; touched by whoever set `writing_`.
  Mutex mu_;
  // Null while stopping, and for a moment before it is opened again.
  std::unique_ptr<WriteStream<Request>> stream_ ABSL_GUARDED_BY(mu_);
  bool something_waits_ ABSL_GUARDED_BY(mu_) = false;
  bool writing_ ABSL_GUARDED_BY(mu_) = false;
  bool failed_ ABSL_GUARDED_BY(mu_) = false;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  TimerPort::Handle linger_timer_ ABSL_GUARDED_BY(mu_) = 0;
  TimerPort::Handle reopen_timer_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace ridestream::streams
