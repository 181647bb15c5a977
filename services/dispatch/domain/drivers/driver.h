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

  /// Pushes have somewhere to go; false for a driver known from the log alone.
  bool has_session = false;
  bool connected = false;
  /// Not heard for too long; its trips are released when the timer kDriverLost fires.
  bool suspect = false;
  /// Suspect for long enough that riders aboard may leave.
  bool lost = false;
  std::uint64_t epoch = 0;

  std::string name;
  common::v1::Vehicle vehicle;
  std::uint32_t seats = 0;

  /// As far as the market knows: it gets positions only of drivers with a plan or an offer.
  std::optional<LatLng> position;
  Time positioned_at{};
  /// The newest positions, oldest first. They show the car's direction.
  std::deque<LatLng> track;
  /// Has an offer that hasn't ended.
  bool offered = false;
  /// Agreed that riders who share are put into its plan without an offer.
  bool accepts_insertions = false;
  /// A trip is being assigned to it so.
  bool inserting = false;
  DriverPlan plan;
  /// The FindRoute under way; 0 if there is none.
  std::uint64_t route_request = 0;
  /// Why the plan will be pushed when the route is there; UNSPECIFIED if no push is pending.
  v1::PlanCause untold = v1::PLAN_CAUSE_UNSPECIFIED;
  /// The driver's commands that the next push of the plan answers.
  Answers unanswered;
  Availability told;

  /// Can take a trip of that many people now.
  bool IsFree(std::uint32_t party_size) const;
  /// Heard lately, on a stream that is open.
  bool IsHere() const { return connected && !suspect; }
  Availability CurrentAvailability() const;
  /// The plan as a message to this driver; see DriverPlan::Tell.
  v1::Plan TellPlan(v1::PlanCause cause, bool whole, Time now);
  /// The driver as the car that riders wait for. Refers to the plan.
  Promises::Car AsCar() const { return {plan, position, suspect}; }
  /// How long the car may drive on from its last position until the driver gets a plan, which takes
  /// `heard_within`.
  Duration DrivenUnheard(Duration heard_within, Time now) const;
};

}  // namespace ridestream::dispatch
