#include "services/dispatch/domain/drivers/driver.h"

#include <algorithm>

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

}  // namespace ridestream::dispatch
