#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <utility>

#include "absl/status/status.h"
#include "libs/base/draw.h"
#include "libs/base/mutex.h"
#include "libs/base/timer_port.h"
#include "libs/streams/stream_ports.h"

namespace ridestream::streams {

/// The client's end of a server stream that is followed forever. When it ends it is opened again
/// after a pause, from its owner's position at that time. While the peer rejects the stream, i.e.
/// ends it before its first message with a status other than UNAVAILABLE, the pauses grow, because
/// such an error rarely goes away by itself.
///
/// Thread-safe. The callbacks are called one at a time, and `on_message` and `on_end` without a
/// lock.
template <class Response>
class FollowStream final : private ReadListener<Response> {
 public:
  struct Options {
    /// Opens the stream. Must not call this object.
    std::function<std::unique_ptr<ReadStream>(ReadListener<Response>&)> open;
    /// Processes a message. Returns false if it can't be processed now: the stream is then closed
    /// and opened again later.
    std::function<bool(Response&)> on_message;
    /// Pause after a stream that delivered messages, and while the peer is UNAVAILABLE: the
    /// transport pauses before it reconnects anyway.
    std::chrono::milliseconds reopen_after{200};
    /// Maximum pause while the peer rejects the stream. Each pause is up to twice the previous one,
    /// less a random part of at most a quarter, so that many clients don't call at the same time.
    std::chrono::milliseconds longest_pause{30'000};
    /// Called with the reason when a stream that wasn't stopped has ended. `is_news` is false if
    /// all streams since the last message ended with the same code, so that the owner can log the
    /// error once.
    std::function<void(const absl::Status&, bool is_news)> on_end = nullptr;
  };

  FollowStream(TimerPort& timers, Options options) : timers_(timers), options_(std::move(options)) {
    MutexLock lock(mu_);
    stream_ = options_.open(*this);
  }
  ~FollowStream() { Stop(); }

  /// Cancels an open stream and waits until it has ended.
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
  bool OnMessage(Response& message) override {
    had_message_ = true;
    last_end_.reset();
    return options_.on_message(message);
  }

  void OnEnded(const absl::Status& status) override {
    bool asked_for = false;
    {
      MutexLock lock(mu_);
      asked_for = stopping_;
    }
    const bool is_news = std::exchange(last_end_, status.code()) != status.code();
    if (!asked_for && options_.on_end) options_.on_end(status, is_news);
    const bool refused = !std::exchange(had_message_, false) && !absl::IsUnavailable(status);
    const auto pause = NextPause(refused);
    MutexLock lock(mu_);
    if (!stopping_) reopen_timer_ = timers_.After(pause, [this] { Reopen(); });
  }

  std::chrono::milliseconds NextPause(bool refused) {
    if (!refused) {
      next_refusal_pause_ = options_.reopen_after;
      return options_.reopen_after;
    }
    const std::chrono::milliseconds pause = next_refusal_pause_;
    next_refusal_pause_ = std::min(2 * pause, options_.longest_pause);
    const auto bound = static_cast<std::uint64_t>(pause.count()) / 4 + 1;
    return pause - std::chrono::milliseconds(DrawBelow(random_, bound));
  }

  void Reopen() {
    std::unique_ptr<ReadStream> ended;
    {
      MutexLock lock(mu_);
      ended = std::move(stream_);
    }
    ended.reset();  // Its transport may still be returning from OnEnded.
    MutexLock lock(mu_);
    reopen_timer_ = 0;
    if (!stopping_) stream_ = options_.open(*this);
  }

  TimerPort& timers_;
  const Options options_;
  // Used by the stream's callbacks only, which run one at a time.
  bool had_message_ = false;
  std::optional<absl::StatusCode> last_end_;  // nullopt after a message.
  std::chrono::milliseconds next_refusal_pause_ = options_.reopen_after;
  std::mt19937_64 random_{std::random_device()()};
  Mutex mu_;
  std::unique_ptr<ReadStream> stream_ ABSL_GUARDED_BY(mu_);
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  TimerPort::Handle reopen_timer_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace ridestream::streams
