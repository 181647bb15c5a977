#pragma once

#include "libs/base/id.h"
#include "ridestream/dispatch/v1/dispatch.pb.h"

namespace ridestream::dispatch {

/// Learns of the pushes that drivers ack. Thread-safe. It is called under a session's lock, so its
/// own lock is a leaf.
class AckListener {
 public:
  virtual ~AckListener() = default;
  virtual void OnAck(const DriverId& driver, const v1::DriveResponse& push) = 0;
};

}  // namespace ridestream::dispatch
