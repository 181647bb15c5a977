#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <utility>

#include "libs/base/mutex.h"
#include "libs/base/timer_port.h"
#include "libs/streams/stream_ports.h"

namespace ridestream::streams {

/// The client's side of a server stream that is followed forever: when it ends it is opened again
/// after a pause, from its owner's position at that time.
///
/// Thread-safe. The functions are called one at a time, and `on_message` and `on_end` without a
/// lock.
template <class Response>
class FollowStream final : private ReadListener<Response> {
 public:
  struct Options {
    /// Opens the stream. Must not call this back.
    std::function<std::unique_ptr<ReadStream>(ReadListener<Response>&)> open;
    /// Takes a message. False: it can't be taken now; the stream is closed and opened again later.
    std::function<bool(Response&)> on_message;
    std::chrono::milliseconds reopen_after{200};
    /// Told when a stream ended that wasn't stopped, with the reason.
    std::function<void(const absl::Status&)> on_end = nullptr;
  };

  FollowStream(TimerPort& timers, Options options) : timers_(timers), options_(std::move(options)) {
    MutexLock lock(mu_);
    stream_ = options_.open(*this);
  }
  ~FollowStream() { Stop(); }

  /// Cancels what is open and waits until it has ended.
  void Stop() {
    TimerPort::Handle reopen = 0;
    std::unique_ptr<ReadStream> stream;
    {
      MutexLock lock(mu_);
      stopping_ = true;
      reopen = reopen_timer_;
      stream = std::move(stream_);
    }
    timers_.Cancel(reopen);
  }

 private:
  bool OnMessage(Response& message) override { return options_.on_message(message); }

  void OnEnded(const absl::Status& status) override {
    bool asked_for = false;
    {
      MutexLock lock(mu_);
      asked_for = stopping_;
    }
    if (!asked_for && options_.on_end) options_.on_end(status);
    MutexLock lock(mu_);
    if (!stopping_) reopen_timer_ = timers_.After(options_.reopen_after, [this] { Reopen(); });
  }

  void Reopen() {
    std::unique_ptr<ReadStream> ended;
    {
      MutexLock lock(mu_);
      ended = std::move(stream_);
    }
    ended.reset();  // Its transport may just be coming back from OnEnded.
    MutexLock lock(mu_);
    reopen_timer_ = 0;
    if (!stopping_) stream_ = options_.open(*this);
  }

  TimerPort& timers_;
  const Options options_;
  Mutex mu_;
  std::unique_ptr<ReadStream> stream_ ABSL_GUARDED_BY(mu_);
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  TimerPort::Handle reopen_timer_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace ridestream::streams
