#pragma once

#include "absl/status/status.h"

namespace ridestream::streams {

// Ports to the transport of streams that this process opens. A transport calls the listener one
// call at a time, never from within one of its own functions, and without a lock.

/// Receives the events of a server stream.
template <class Response>
class ReadListener {
 public:
  /// A message arrived; the next one follows after this returns. Returns false if the message can't
  /// be processed; the transport then cancels the stream.
  virtual bool OnMessage(Response& message) = 0;
  /// Called once, last.
  virtual void OnEnded(const absl::Status& status) = 0;

 protected:
  ~ReadListener() = default;
};

/// An open server stream. Destroying it cancels the stream unless it has ended, and waits until the
/// listener isn't called any more, so it must not be destroyed from within the listener.
class ReadStream {
 public:
  virtual ~ReadStream() = default;
};

/// Receives the events of a client stream.
class WriteListener {
 public:
  /// The write has completed. With false it failed, and all later writes will fail.
  virtual void OnWritten(bool ok) = 0;
  /// Called once, last; after OnWritten if a write was in flight. Some transports notice the end
  /// only at the next write.
  virtual void OnEnded(const absl::Status& status) = 0;

 protected:
  ~WriteListener() = default;
};

/// An open client stream. Its destructor is like ReadStream's.
template <class Request>
class WriteStream {
 public:
  virtual ~WriteStream() = default;
  /// Sends the message, which must not change until OnWritten. Must not be called while a write is
  /// in flight.
  virtual void Write(const Request& request) = 0;
};

}  // namespace ridestream::streams
