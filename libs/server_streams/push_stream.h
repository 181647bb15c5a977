#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "libs/base/mutex.h"

namespace ridestream::streams {

/// A port to the transport of one server stream. The transport calls its PushStream: OnWritten
/// after each Write, OnCancelled when the client has disconnected, and finally OnDone. It must not
/// call from within Write or Finish, which run under the stream's lock.
template <class Message>
class StreamWriter {
 public:
  /// Sends the message, which must not change until OnWritten. One write at a time.
  virtual void Write(const Message& message) = 0;
  /// Ends the stream; called once, while no write is in flight. OnDone follows.
  virtual void Finish(const absl::Status& status) = 0;

 protected:
  ~StreamWriter() = default;
};

/// The server's end of a server stream: a bounded queue of messages that must not be lost, and one
/// slot in which a newer message replaces an older one.
///
/// Shared by publishers and the transport until OnDone. Thread-safe: `mu_` guards all state; never
/// calls its owner under `mu_`.
template <class Message>
class PushStream final {
 public:
  struct Options {
    /// Maximum length of the queue. A further message ends the stream with RESOURCE_EXHAUSTED.
    size_t max_queue = 1024;
    /// Called once, when the transport has released the stream, on a thread of the transport.
    std::function<void()> on_done = nullptr;
    /// Called after a completed write if the queue is empty, on a thread of the transport, so that
    /// the owner can push more.
    std::function<void()> on_drained = nullptr;
  };

  /// `writer` must outlive the stream, i.e. its call of OnDone.
  PushStream(StreamWriter<Message>& writer, Options options)
      : writer_(writer), options_(std::move(options)) {}
  PushStream(const PushStream&) = delete;
  PushStream& operator=(const PushStream&) = delete;

  /// Queues a message that must not be lost.
  void Push(Message message) {
    MutexLock lock(mu_);
    if (final_status_) return;
    if (queue_.size() >= options_.max_queue) {
      queue_.clear();
      latest_.reset();
      final_status_ =
          absl::ResourceExhaustedError("the reader is too slow for this stream; open it again");
    } else {
      queue_.push_back(std::move(message));
    }
    Advance();
  }

  /// Sets the message of the slot, replacing one that has not been sent. It is sent after the
  /// queue.
  void Replace(Message message) {
    MutexLock lock(mu_);
    if (final_status_) return;
    latest_ = std::move(message);
    Advance();
  }

  /// Ends the stream after the waiting messages have been written.
  void Close(absl::Status status) {
    MutexLock lock(mu_);
    if (!final_status_) final_status_ = std::move(status);
    Advance();
  }

  // Called by the transport.

  void OnWritten(bool ok) {
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

  void OnCancelled() {
    MutexLock lock(mu_);
    Abandon();
    Advance();
  }

  void OnDone() {
    if (options_.on_done) options_.on_done();
  }

 private:
  void Abandon() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    queue_.clear();
    latest_.reset();
    if (!final_status_) final_status_ = absl::CancelledError();
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
        writer_.Finish(*final_status_);
      }
      return;
    }
    writing_ = true;
    writer_.Write(in_flight_);
  }

  StreamWriter<Message>& writer_;
  const Options options_;
  Mutex mu_;
  std::deque<Message> queue_ ABSL_GUARDED_BY(mu_);
  std::optional<Message> latest_ ABSL_GUARDED_BY(mu_);
  std::optional<absl::Status> final_status_ ABSL_GUARDED_BY(mu_);
  Message in_flight_ ABSL_GUARDED_BY(mu_);
  bool writing_ ABSL_GUARDED_BY(mu_) = false;
  bool finished_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace ridestream::streams
