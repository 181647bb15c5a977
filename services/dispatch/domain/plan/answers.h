#pragma once

#include <vector>

#include "libs/base/id.h"
#include "ridestream/dispatch/v1/dispatch.pb.h"
#include "ridestream/trip/v1/trip.pb.h"

namespace ridestream::dispatch {

/// A driver's commands that took effect, oldest first.
using Answers = std::vector<v1::AnsweredCommand>;

v1::AnsweredCommand AnswerTo(const v1::StopUpdate& update);
v1::AnsweredCommand AnswerTo(const v1::GiveUp& give_up);

/// Returns the commands of `driver` that led from `before`, the trip's state in the driver's plan
/// (ASSIGNED, ARRIVED or ABOARD), to its newest record. Empty if somebody else changed the trip.
Answers CommandsBetween(trip::v1::TripState before, const trip::v1::Trip& now,
                        const DriverId& driver);

}  // namespace ridestream::dispatch
