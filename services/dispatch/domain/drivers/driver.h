#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "libs/base/clock.h"
#include "libs/base/geo.h"
#include "libs/base/id.h"
#include "ridestream/common/v1/common.pb.h"
#include "ridestream/dispatch/v1/dispatch.pb.h"
#include "ridestream/location/v1/location.pb.h"
#include "services/dispatch/domain/plan/driver_plan.h"
#include "services/dispatch/domain/promises/promises.h"

namespace ridestream::dispatch {

/// The state of a driver that is reported to location.
struct Availability {
  location::v1::DriverState state = location::v1::DRIVER_STATE_UNSPECIFIED;
  std::uint32_t free_seats = 0;
  bool wants_positions = false;

  friend bool operator==(const Availability&, const Availability&) = default;
};

/// A driver who has a session, or a plan, or both.
struct Driver {
  DriverId id;

  /// Whether the driver has a session; false for a driver known only from the log.
  bool has_session = false;
  bool connected = false;
  /// Silent for too long. The driver's trips are released when the timer kDriverLost fires.
  bool suspect = false;
  /// Suspect for so long that riders aboard may have left.
  bool lost = false;
  std::uint64_t epoch = 0;

  std::string name;
  common::v1::Vehicle vehicle;
  std::uint32_t seats = 0;

  /// Last position known to the market, which receives positions only of drivers with a plan or an
  /// offer.
  std::optional<LatLng> position;
  Time positioned_at{};
  /// The newest positions, oldest first. They show the car's direction.
  std::deque<LatLng> track;
  /// Whether the driver has an open offer.
  bool offered = false;
  /// Whether the driver agreed to insertions of riders without an offer.
  bool accepts_insertions = false;
  /// Whether a trip is being assigned to the driver in this way.
  bool inserting = false;
  DriverPlan plan;
  /// Id of the pending FindRoute; 0 if there is none.
  std::uint64_t route_request = 0;
  /// Reason of the push that waits for the route; UNSPECIFIED if no push is pending.
  v1::PlanCause unpushed = v1::PLAN_CAUSE_UNSPECIFIED;
  /// The driver's commands that the next push of the plan answers.
  Answers unanswered;
  Availability reported;

  /// Whether the driver can take a party of this size now.
  bool IsFree(std::uint32_t party_size) const;
  /// Whether the driver is connected and not suspect.
  bool IsHere() const { return connected && !suspect; }
  Availability CurrentAvailability() const;
  /// The plan as a message to this driver; see DriverPlan::NextMessage.
  v1::Plan NextPlanMessage(v1::PlanCause cause, bool whole, Time now);
  /// The driver as the car that riders wait for. Refers to the plan.
  Promises::Car AsCar() const { return {plan, position, suspect}; }
  /// How long the car may drive on from its last position until the driver receives a plan, which
  /// takes `heard_within`.
  Duration DrivenUnheard(Duration heard_within, Time now) const;
};

}  // namespace ridestream::dispatch
