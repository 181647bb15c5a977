#pragma once

#include <string>

#include "ridestream/dispatch/v1/dispatch.pb.h"
#include "ridestream/trip/v1/trip.pb.h"
#include "services/dispatch/domain/trips/trip_commands.h"

/// Short descriptions of messages for the trace.
namespace ridestream::sim {

std::string Describe(const dispatch::v1::DriveRequest& request);
std::string Describe(const dispatch::v1::DriveResponse& response);
std::string Describe(const dispatch::TripRequest& request);
std::string Describe(const trip::v1::Trip& trip);

}  // namespace ridestream::sim
