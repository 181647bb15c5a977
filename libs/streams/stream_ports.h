#pragma once

#include "absl/status/status.h"

namespace ridestream::streams {

// The ports to the transport of streams that this process opens. A transport calls the listener one
// call at a time, never from within a function of its own, and without a lock.

/// Listens to a server stream.
template <class Response>
class ReadListener {
 public:
  /// A message came; the next follows when this has returned. False: it can't be taken, and the
  /// stream is to be cancelled.
  virtual bool OnMessage(Response& message) = 0;
  /// Last, once.
  virtual void OnEnded(const absl::Status& status) = 0;

 protected:
  ~ReadListener() = default;
};

/// A server stream, from its opening on. Ending the object cancels the stream, if it goes on, and
/// waits until the listener isn't called any more; so not from within the listener.
class ReadStream {
 public:
  virtual ~ReadStream() = default;
};

/// Listens to a client stream.
class WriteListener {
 public:
  /// The write is over. False: it failed, as will all that follow.
  virtual void OnWritten(bool ok) = 0;
  /// Last, once; behind OnWritten, if a write was under way. A transport may notice the end by the
  /// next write only.
  virtual void OnEnded(const absl::Status& status) = 0;

 protected:
  ~WriteListener() = default;
};

/// A client stream, from its opening on. Ends as a ReadStream does.
template <class Request>
class WriteStream {
 public:
  virtual ~WriteStream() = default;
  /// Sends the message, which stays as it is until OnWritten. Not while another write is under way.
  virtual void Write(const Request& request) = 0;
};

}  // namespace ridestream::streams
