#pragma once

#include <string>
#include <utility>
#include <vector>

#include "ridestream/trip/v1/trip.pb.h"

namespace ridestream::exporter {

/// An event as consumers of the topic receive it.
struct Record {
  /// The trip's id, so that all events of a trip are in one partition, in order.
  std::string key;
  /// A serialized trip.v1.TripEvent: what happened, and the whole trip after it. FollowTrips sends
  /// the same message, so both have one schema.
  std::string value;
  /// `sequence` (decimal) and, if the trip has one, `x-request-id`.
  std::vector<std::pair<std::string, std::string>> headers;
};

Record ToRecord(const trip::v1::TripEvent& event);

}  // namespace ridestream::exporter
