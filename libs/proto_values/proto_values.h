#pragma once

#include <cstdint>

#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "libs/base/clock.h"
#include "libs/base/geo.h"
#include "ridestream/common/v1/common.pb.h"

/// Conversions of times, durations and places to and from their messages. Fractions of a
/// microsecond are truncated. Values are not checked; messages from outside must be validated
/// before.
namespace ridestream {

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

inline Duration FromProto(const google::protobuf::Duration& duration) {
  return std::chrono::seconds(duration.seconds()) +
         std::chrono::duration_cast<Duration>(std::chrono::nanoseconds(duration.nanos()));
}

inline google::protobuf::Duration ToProto(Duration duration) {
  // Both fields must have the duration's sign.
  const auto whole = std::chrono::duration_cast<std::chrono::seconds>(duration);
  google::protobuf::Duration proto;
  proto.set_seconds(whole.count());
  proto.set_nanos(static_cast<std::int32_t>(std::chrono::nanoseconds(duration - whole).count()));
  return proto;
}

inline LatLng FromProto(const common::v1::LatLng& place) {
  return {place.lat_e7(), place.lng_e7()};
}

inline common::v1::LatLng ToProto(LatLng place) {
  common::v1::LatLng proto;
  proto.set_lat_e7(place.lat_e7);
  proto.set_lng_e7(place.lng_e7);
  return proto;
}

}  // namespace ridestream
