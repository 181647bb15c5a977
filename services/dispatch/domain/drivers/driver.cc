#include "services/dispatch/domain/drivers/driver.h"

#include <algorithm>
#include <chrono>

namespace ridestream::dispatch {

bool Driver::IsFree(std::uint32_t party_size) const {
  return connected && !suspect && !offered && !inserting && plan.empty() && seats >= party_size;
}

Availability Driver::CurrentAvailability() const {
  Availability availability;
  availability.free_seats = seats - std::min(seats, plan.SeatsTaken());
  if (!plan.empty()) {
    availability.state = plan.HasAnybodyAboard() ? location::v1::DRIVER_STATE_OCCUPIED
                                                 : location::v1::DRIVER_STATE_EN_ROUTE;
  } else {
    availability.state =
        offered ? location::v1::DRIVER_STATE_OFFERED : location::v1::DRIVER_STATE_IDLE;
  }
  availability.wants_positions = availability.state != location::v1::DRIVER_STATE_IDLE;
  return availability;
}

v1::Plan Driver::NextPlanMessage(v1::PlanCause cause, bool whole, Time now) {
  v1::Plan message = plan.NextMessage(cause, whole, position, now);
  message.set_driver_id(id.str());
  return message;
}

Duration Driver::DrivenUnheard(Duration heard_within, Time now) const {
  // A moving car sends a position every few seconds. A car that doesn't may be standing.
  constexpr Duration kOldest = std::chrono::seconds(10);
  return std::min<Duration>(now - positioned_at, kOldest) + heard_within;
}

}  // namespace ridestream::dispatch
