#include "services/trip/event_lines.h"

#include <string>

#include "libs/service/service.h"

namespace ridestream::trip {
namespace {

const char* NameOf(const v1::TripEvent& event) {
  switch (event.change()) {
    case v1::TRIP_CHANGE_DESTINATION:
      return "trip_destination_changed";
    case v1::TRIP_CHANGE_DRIVER:
      return "trip_reassigned";
    case v1::TRIP_CHANGE_DRIVER_LOST:
      return "trip_driver_lost";
    case v1::TRIP_CHANGE_DRIVER_HEARD:
      return "trip_driver_heard";
    default:
      break;
  }
  switch (event.trip().state()) {
    case v1::TRIP_STATE_REQUESTED:
      return event.previous_state() == v1::TRIP_STATE_UNSPECIFIED ? "trip_requested"
                                                                  : "trip_released";
    case v1::TRIP_STATE_ASSIGNED:
      return "trip_assigned";
    case v1::TRIP_STATE_ARRIVED:
      return "trip_arrived";
    case v1::TRIP_STATE_ABOARD:
      return "trip_aboard";
    case v1::TRIP_STATE_COMPLETED:
      return "trip_completed";
    case v1::TRIP_STATE_CANCELLED:
      return "trip_cancelled";
    case v1::TRIP_STATE_UNSERVED:
      return "trip_unserved";
    default:
      return "trip_changed";
  }
}

/// Why a trip was released or cancelled; empty for others.
std::string ReasonOf(const v1::Trip& trip) {
  if (trip.state() == v1::TRIP_STATE_CANCELLED) {
    return v1::CancelReason_Name(trip.cancellation().reason());
  }
  if (trip.state() == v1::TRIP_STATE_REQUESTED && trip.has_last_release()) {
    return v1::ReleaseReason_Name(trip.last_release().reason());
  }
  return "";
}

}  // namespace

void LogEvent(const v1::TripEvent& event) {
  const v1::Trip& trip = event.trip();
  const bool lost_driver =
      trip.state() == v1::TRIP_STATE_REQUESTED && trip.released_driver_ids_size() > 0;
  service::Log(
      service::Level::kInfo, NameOf(event),
      {{"trip", trip.trip_id()},
       {"request", trip.x_request_id()},
       {"rider", trip.passenger().rider_id()},
       {"driver", lost_driver ? *trip.released_driver_ids().rbegin() : trip.driver().driver_id()},
       {"reason", ReasonOf(trip)},
       {"market", trip.market()},
       {"version", std::to_string(trip.version())},
       {"sequence", std::to_string(event.sequence())}});
}

}  // namespace ridestream::trip
