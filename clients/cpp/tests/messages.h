#pragma once

#include <cstdint>
#include <string>

#include "ridestream/dispatch/v1/dispatch.pb.h"

namespace ridestream::client {

// Messages between the service and the driver "d", for tests.

inline dispatch::v1::DriveResponse Welcome(std::uint64_t epoch, bool resumed = false) {
  dispatch::v1::DriveResponse message;
  dispatch::v1::Welcome& welcome = *message.mutable_welcome();
  welcome.set_driver_id("d");
  welcome.set_session_id("s");
  welcome.set_epoch(epoch);
  welcome.set_resumed(resumed);
  welcome.set_clock_rate(1);
  welcome.mutable_report_every()->set_seconds(4);
  welcome.mutable_heartbeat()->set_seconds(10);
  return message;
}

inline dispatch::v1::DriveResponse Offer(std::uint64_t sequence, const std::string& id) {
  dispatch::v1::DriveResponse message;
  message.set_sequence(sequence);
  message.mutable_offer()->set_offer_id(id);
  message.mutable_offer()->set_trip_id("t");
  message.mutable_offer()->set_driver_id("d");
  return message;
}

inline dispatch::v1::DriveResponse Plan(std::uint64_t sequence, std::uint64_t version) {
  dispatch::v1::DriveResponse message;
  message.set_sequence(sequence);
  message.mutable_plan()->set_version(version);
  message.mutable_plan()->set_driver_id("d");
  return message;
}

inline dispatch::v1::DriveRequest Arrived(const std::string& trip_id) {
  dispatch::v1::DriveRequest request;
  request.mutable_stop_update()->set_trip_id(trip_id);
  request.mutable_stop_update()->set_action(dispatch::v1::STOP_ACTION_ARRIVED);
  return request;
}

}  // namespace ridestream::client
