#pragma once

#include <chrono>
#include <cstdint>

#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "libs/base/clock.h"
#include "libs/base/geo.h"
#include "ridestream/common/v1/common.pb.h"

namespace ridestream::trip {

inline void SetTime(Time time, google::protobuf::Timestamp& out) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  out.set_seconds(seconds.time_since_epoch().count());
  out.set_nanos(static_cast<std::int32_t>(std::chrono::nanoseconds(time - seconds).count()));
}

inline Time ToTime(const google::protobuf::Timestamp& time) {
  return Time(std::chrono::seconds(time.seconds()) + Duration(time.nanos() / 1000));
}

inline std::int64_t ToMicroseconds(const google::protobuf::Timestamp& time) {
  return ToTime(time).time_since_epoch().count();
}

/// `duration` must not be negative.
inline void SetDuration(std::chrono::milliseconds duration, google::protobuf::Duration& out) {
  out.set_seconds(duration.count() / 1000);
  out.set_nanos(static_cast<std::int32_t>(duration.count() % 1000) * 1'000'000);
}

inline Duration ToDuration(const google::protobuf::Duration& duration) {
  return std::chrono::seconds(duration.seconds()) + Duration(duration.nanos() / 1000);
}

inline void SetLatLng(LatLng place, common::v1::LatLng& out) {
  out.set_lat_e7(place.lat_e7);
  out.set_lng_e7(place.lng_e7);
}

inline LatLng ToLatLng(const common::v1::LatLng& place) { return {place.lat_e7(), place.lng_e7()}; }

}  // namespace ridestream::trip
