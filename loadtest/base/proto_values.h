#pragma once

#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "libs/base/clock.h"
#include "libs/base/geo.h"
#include "ridestream/common/v1/common.pb.h"

namespace ridestream::loadtest {

Time ToTime(const google::protobuf::Timestamp& timestamp);
Duration ToDuration(const google::protobuf::Duration& duration);
google::protobuf::Timestamp ToProto(Time time);
google::protobuf::Duration ToProto(Duration duration);
common::v1::LatLng ToProto(LatLng place);
LatLng FromProto(const common::v1::LatLng& place);

}  // namespace ridestream::loadtest
