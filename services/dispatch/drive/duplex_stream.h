#pragma once

#include "absl/status/status.h"
#include "ridestream/dispatch/v1/dispatch.pb.h"

namespace ridestream::dispatch {

/// The port to the transport of one call of Drive. The transport reads by itself, and calls its
/// DriveStream: OnRead for each message until that returns false, OnReadsEnded, OnWritten after
/// each Write, OnCancelled, and finally OnDone. It never does so from within its own functions,
/// since those are called under the stream's lock.
class DuplexStream {
 public:
  /// Starts to send the message, of which it keeps no reference. OnWritten follows. Must not be
  /// called while another write is in progress, nor after Finish.
  virtual void Write(const v1::DriveResponse& message) = 0;
  /// Ends the call. Must be called once, while no write is in progress. OnDone follows.
  virtual void Finish(const absl::Status& status) = 0;
  /// Cancels the call, so that a write fails that the driver doesn't read. OnCancelled follows.
  /// Must not be called after Finish.
  virtual void Cancel() = 0;

 protected:
  ~DuplexStream() = default;
};

}  // namespace ridestream::dispatch
