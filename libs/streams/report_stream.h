#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <utility>

#include "libs/base/mutex.h"
#include "libs/base/timer_port.h"
#include "libs/streams/stream_ports.h"

namespace ridestream::streams {

/// The client's end of a client stream that is kept open forever. It fetches queued data from its
/// owner batch by batch, so batches grow when the peer is slower, and the owner decides what to
/// keep. A broken stream is opened again after a pause; the batch in flight is lost.
///
/// Thread-safe. The callbacks are called one at a time, and `fill` and `on_end` without a lock.
template <class Request>
class ReportStream final : private WriteListener {
 public:
  struct Options {
    /// Opens the stream. Must not call this object.
    std::function<std::unique_ptr<WriteStream<Request>>(WriteListener&)> open;
    /// Fills the request, whose old content may be reused, with the next batch. Returns false if
    /// nothing waits.
    std::function<bool(Request*)> fill;
    /// How long the first entry of a batch waits for others.
    std::chrono::microseconds linger{2'000};
    std::chrono::milliseconds reopen_after{200};
    /// Called with the reason when a stream that wasn't stopped has ended.
    std::function<void(const absl::Status&)> on_end = nullptr;
  };

  ReportStream(TimerPort& timers, Options options) : timers_(timers), options_(std::move(options)) {
    MutexLock lock(mu_);
    Open();
  }
  ~ReportStream() { Stop(); }

  /// Signals that data waits. Cheap, but only the first waiting item needs it.
  void Wake() {
    MutexLock lock(mu_);
    something_waits_ = true;
    ArmLinger();
  }

  /// Cancels an open stream and waits until it has ended. Waiting data is not sent.
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

  /// Called by the thread that set `writing_`.
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
        something_waits_ = true;  // More data than the lost batch may wait for the next stream.
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
    ended.reset();  // Its transport may still be returning from OnEnded.
    MutexLock lock(mu_);
    reopen_timer_ = 0;
    if (!stopping_) Open();
  }

  TimerPort& timers_;
  const Options options_;
  Request request_;  // Used by the thread that set `writing_`, until the write completes.
  Mutex mu_;
  // Null while stopping, and briefly before it is opened again.
  std::unique_ptr<WriteStream<Request>> stream_ ABSL_GUARDED_BY(mu_);
  bool something_waits_ ABSL_GUARDED_BY(mu_) = false;
  bool writing_ ABSL_GUARDED_BY(mu_) = false;
  bool failed_ ABSL_GUARDED_BY(mu_) = false;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  TimerPort::Handle linger_timer_ ABSL_GUARDED_BY(mu_) = 0;
  TimerPort::Handle reopen_timer_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace ridestream::streams
