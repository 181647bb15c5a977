#pragma once

#include <cstdint>

#include "google/protobuf/timestamp.pb.h"
#include "libs/base/clock.h"
#include "libs/base/geo.h"
#include "ridestream/common/v1/common.pb.h"

namespace ridestream::dispatch {

inline LatLng FromProto(const common::v1::LatLng& place) {
  return {place.lat_e7(), place.lng_e7()};
}

inline common::v1::LatLng ToProto(LatLng place) {
  common::v1::LatLng proto;
  proto.set_lat_e7(place.lat_e7);
  proto.set_lng_e7(place.lng_e7);
  return proto;
}

inline Time FromProto(const google::protobuf::Timestamp& at) {
  return Time(std::chrono::seconds(at.seconds()) +
              std::chrono::duration_cast<Duration>(std::chrono::nanoseconds(at.nanos())));
}

inline google::protobuf::Timestamp ToProto(Time at) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(at);
  google::protobuf::Timestamp proto;
  proto.set_seconds(whole.time_since_epoch().count());
  proto.set_nanos(static_cast<std::int32_t>(std::chrono::nanoseconds(at - whole).count()));
  return proto;
}

/// Whole seconds, rounded up, so that an ETA is 0 only on the spot.
inline std::uint32_t ToSeconds(Duration d) {
  return d <= Duration::zero()
             ? 0
             : static_cast<std::uint32_t>(std::chrono::ceil<std::chrono::seconds>(d).count());
}

}  // namespace ridestream::dispatch
