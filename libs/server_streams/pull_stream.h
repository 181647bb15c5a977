#pragma once

#include <functional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/base/mutex.h"

namespace ridestream::streams {

/// A port to the transport of one client stream. The transport calls its PullStream: OnRead or
/// OnReadsEnded after each StartRead, OnCancelled when the client has disconnected, and finally
/// OnDone. It must not call from within StartRead or Finish, which run under the stream's lock.
template <class Response>
class StreamReader {
 public:
  virtual void StartRead() = 0;
  /// Ends the stream; called once. OnDone follows.
  virtual void Finish(const absl::Status& status, const Response& response) = 0;

 protected:
  ~StreamReader() = default;
};

/// The server's end of a client stream: processes a message, then reads the next one. The
/// transport's flow control slows down a client that sends faster; there is no queue here.
///
/// Shared by its owner and the transport until OnDone. Thread-safe; never calls its owner under
/// `mu_`.
template <class Request, class Response>
class PullStream final {
 public:
  struct Options {
    /// Processes a message, on a thread of the transport, one message at a time. Returns the
    /// response if the stream were to end after this message, or the status with which to end the
    /// stream now.
    std::function<absl::StatusOr<Response>(const Request&)> on_message;
    /// Called once, when the transport has released the stream.
    std::function<void(PullStream*)> on_done = nullptr;
  };

  /// `reader` must outlive the stream, i.e. its call of OnDone.
  PullStream(StreamReader<Response>& reader, Options options)
      : reader_(reader), options_(std::move(options)) {}
  PullStream(const PullStream&) = delete;
  PullStream& operator=(const PullStream&) = delete;

  /// Reads the first message, unless the stream is closed.
  void Begin() {
    MutexLock lock(mu_);
    if (!finished_) reader_.StartRead();
  }

  /// Ends the stream with the response so far. Later calls have no effect.
  void Close(const absl::Status& status) {
    MutexLock lock(mu_);
    if (std::exchange(finished_, true)) return;
    reader_.Finish(status, response_);
  }

  // Called by the transport.

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
