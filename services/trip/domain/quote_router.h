#pragma once

#include <chrono>
#include <cstdint>

#include "absl/status/statusor.h"
#include "libs/base/geo.h"

namespace ridestream::trip {

/// How far it is and how long it takes, along the streets by the fastest way.
struct Way {
  std::uint32_t length_m = 0;
  std::chrono::milliseconds duration{0};
};

/// The port to a market's streets, for quotes. Thread-safe; may take milliseconds, so it isn't
/// asked on a thread of gRPC's.
class QuoteRouter {
 public:
  virtual ~QuoteRouter() = default;
  /// INVALID_ARGUMENT ("pickup: ..." or "dropoff: ...") for a place that is off the market's
  /// streets; FAILED_PRECONDITION when no way leads from one to the other.
  virtual absl::StatusOr<Way> FindWay(LatLng pickup, LatLng dropoff) const = 0;
};

}  // namespace ridestream::trip
