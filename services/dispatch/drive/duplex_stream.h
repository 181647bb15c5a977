#pragma once

#include "absl/status/status.h"
#include "ridestream/dispatch/v1/dispatch.pb.h"

namespace ridestream::dispatch {

/// The port to the transport of one call of Drive. It reads by itself, and calls its DriveStream:
/// OnRead for each message until that returns false, OnReadsEnded, OnWritten behind each Write,
/// OnCancelled, and finally OnDone. It never does so from within a function of its own, as those
/// are called under the stream's lock.
class DuplexStream {
 public:
  /// Sends the message, which isn't referred to afterwards. OnWritten follows. Not while another
  /// write is under way, nor after Finish.
  virtual void Write(const v1::DriveResponse& message) = 0;
  /// Ends the call; once, while no write is under way. OnDone follows.
  virtual void Finish(const absl::Status& status) = 0;
  /// Breaks off what is under way, so that a write fails that the driver doesn't take. OnCancelled
  /// follows. Not after Finish.
  virtual void Cancel() = 0;

 protected:
  ~DuplexStream() = default;
};

}  // namespace ridestream::dispatch
