#pragma once

#include <functional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/base/mutex.h"

namespace ridestream::streams {

/// The port to the transport of one client stream. It calls its PullStream: OnRead or OnReadsEnded
/// after each StartRead, OnCancelled when the client has gone, and finally OnDone; never from
/// within StartRead or Finish, which are called under the stream's lock.
template <class Response>
class StreamReader {
 public:
  virtual void StartRead() = 0;
  /// Ends the stream, once. OnDone follows.
  virtual void Finish(const absl::Status& status, const Response& response) = 0;

 protected:
  ~StreamReader() = default;
};

/// The server's side of a client stream, for all of them: takes a message, then reads the next. A
/// client that sends faster than its messages are taken is slowed down by the transport's flow
/// control; nothing queues here.
///
/// Shared by its owner and by the transport, until OnDone. Thread-safe; nothing of its owner's is
/// called under `mu_`.
template <class Request, class Response>
class PullStream final {
 public:
  struct Options {
    /// Takes a message, on a thread of the transport's, one at a time. Returns the response of a
    /// stream that ends after this message, or the status with which the stream ends now.
    std::function<absl::StatusOr<Response>(const Request&)> on_message;
    /// Called once, when the transport has released the stream.
    std::function<void(PullStream*)> on_done = nullptr;
  };

  /// `reader` must outlive the stream's end, i.e. its call of OnDone.
  PullStream(StreamReader<Response>& reader, Options options)
      : reader_(reader), options_(std::move(options)) {}
  PullStream(const PullStream&) = delete;
  PullStream& operator=(const PullStream&) = delete;

  /// Reads the first message, unless the stream is closed.
  void Begin() {
    MutexLock lock(mu_);
    if (!finished_) reader_.StartRead();
  }

  /// Ends the stream with the response so far; only the first call counts.
  void Close(const absl::Status& status) {
    MutexLock lock(mu_);
    if (std::exchange(finished_, true)) return;
    reader_.Finish(status, response_);
  }

  // For the transport.

  void OnRead(const Request& message) {
    if (IsFinished()) return;
    absl::StatusOr<Response> response = options_.on_message(message);
    if (!response.ok()) return Close(response.status());
    MutexLock lock(mu_);
    if (finished_) return;
    response_ = *std::move(response);
    reader_.StartRead();
  }
  void OnReadsEnded() { Close(absl::OkStatus()); }
  void OnCancelled() { Close(absl::CancelledError()); }
  void OnDone() {
    if (options_.on_done) options_.on_done(this);
  }

 private:
  bool IsFinished() {
    MutexLock lock(mu_);
    return finished_;
  }

  StreamReader<Response>& reader_;
  const Options options_;
  Mutex mu_;
  Response response_ ABSL_GUARDED_BY(mu_);
  bool finished_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace ridestream::streams
