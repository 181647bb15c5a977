#include "loadtest/base/proto_values.h"

namespace ridestream::loadtest {

Time ToTime(const google::protobuf::Timestamp& timestamp) {
  return Time(std::chrono::seconds(timestamp.seconds()) +
              std::chrono::duration_cast<Duration>(std::chrono::nanoseconds(timestamp.nanos())));
}

Duration ToDuration(const google::protobuf::Duration& duration) {
  return std::chrono::seconds(duration.seconds()) +
         std::chrono::duration_cast<Duration>(std::chrono::nanoseconds(duration.nanos()));
}

google::protobuf::Timestamp ToProto(Time time) {
  const auto us = time.time_since_epoch().count();
  google::protobuf::Timestamp timestamp;
  timestamp.set_seconds(us / 1'000'000);
  timestamp.set_nanos(static_cast<std::int32_t>(us % 1'000'000 * 1'000));
  return timestamp;
}

google::protobuf::Duration ToProto(Duration duration) {
  google::protobuf::Duration proto;
  proto.set_seconds(duration.count() / 1'000'000);
  proto.set_nanos(static_cast<std::int32_t>(duration.count() % 1'000'000 * 1'000));
  return proto;
}

common::v1::LatLng ToProto(LatLng place) {
  common::v1::LatLng proto;
  proto.set_lat_e7(place.lat_e7);
  proto.set_lng_e7(place.lng_e7);
  return proto;
}

LatLng FromProto(const common::v1::LatLng& place) { return {place.lat_e7(), place.lng_e7()}; }

}  // namespace ridestream::loadtest
