#pragma once

#include <string>
#include <utility>
#include <vector>

#include "ridestream/trip/v1/trip.pb.h"

namespace ridestream::exporter {

/// An event as a consumer of the topic gets it.
struct Record {
  /// The trip's id: all events of a trip are in one partition, in their order.
  std::string key;
  /// A serialized trip.v1.TripEvent. It states what happened and the whole trip after it, and is
  /// what FollowTrips sends, so that both ways have one schema.
  std::string value;
  /// `sequence` (decimal) and, if the trip has one, `x-request-id`.
  std::vector<std::pair<std::string, std::string>> headers;
};

Record ToRecord(const trip::v1::TripEvent& event);

}  // namespace ridestream::exporter
