#pragma once

#include <vector>

#include "libs/base/id.h"
#include "ridestream/dispatch/v1/dispatch.pb.h"
#include "ridestream/trip/v1/trip.pb.h"

namespace ridestream::dispatch {

/// Commands of a driver that were carried out, oldest first.
using Answers = std::vector<v1::AnsweredCommand>;

v1::AnsweredCommand AnswerTo(const v1::StopUpdate& update);
v1::AnsweredCommand AnswerTo(const v1::GiveUp& give_up);

/// The commands of `driver` that led from `before`, the state in which the driver's plan has a trip
/// (ASSIGNED, ARRIVED or ABOARD), to the newest record of it. Empty when somebody else changed it.
Answers CommandsBetween(trip::v1::TripState before, const trip::v1::Trip& now,
                        const DriverId& driver);

}  // namespace ridestream::dispatch
