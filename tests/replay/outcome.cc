#include "tests/replay/outcome.h"

#include "libs/proto_values/proto_values.h"

namespace ridestream::replay {

void Outcome::Note(const dispatch::Event& event) {
  const auto* logged = std::get_if<dispatch::TripLogged>(&event);
  if (logged == nullptr) return;
  const trip::v1::Trip& trip = logged->event.trip();
  // The log is repeated after a break.
  const auto [seen, first] = versions_.try_emplace(trip.trip_id(), 0);
  if (trip.version() <= seen->second) return;
  seen->second = trip.version();
  if (first) ++requests_;
  switch (trip.state()) {
    case trip::v1::TRIP_STATE_COMPLETED:
      ++completed_;
      wait_us_.Add(Duration(FromProto(trip.arrived_at()) - FromProto(trip.requested_at())).count());
      break;
    case trip::v1::TRIP_STATE_UNSERVED:
      ++unserved_;
      break;
    case trip::v1::TRIP_STATE_CANCELLED:
      ++cancelled_;
      break;
    default:
      break;
  }
}

}  // namespace ridestream::replay
