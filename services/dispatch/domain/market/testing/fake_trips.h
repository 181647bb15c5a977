#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/base/clock.h"
#include "libs/base/geo.h"
#include "ridestream/trip/v1/trip.pb.h"
#include "services/dispatch/domain/trips/trip_commands.h"

namespace ridestream::dispatch {

/// A fake trip service in memory: follows the rules of its proto, without quotes, riders and
/// prices. For tests.
class FakeTrips {
 public:
  explicit FakeTrips(std::string market) : market_(std::move(market)) {}

  // What riders do. Cancel and ChangeDestination answer as trip would.
  const trip::v1::Trip& Request(const std::string& id, LatLng pickup, LatLng dropoff, Time now,
                                std::uint32_t party_size = 1);
  /// For a rider who shares, with the car at the pick-up and out of the drop-off within so long.
  const trip::v1::Trip& RequestShared(const std::string& id, LatLng pickup, LatLng dropoff,
                                      Time now, std::uint32_t party_size = 1,
                                      Duration pickup_within = std::chrono::minutes(8),
                                      Duration dropoff_within = std::chrono::minutes(30));
  absl::StatusOr<trip::v1::Trip> Cancel(const std::string& id);
  absl::StatusOr<trip::v1::Trip> ChangeDestination(const std::string& id, LatLng dropoff);

  /// Carries out a command of dispatch.
  absl::StatusOr<trip::v1::Trip> Do(const TripRequest& request);

  const trip::v1::Trip& Get(const std::string& id) const { return trips_.at(id); }
  const std::map<std::string, trip::v1::Trip>& all() const { return trips_; }
  /// The whole log, in order.
  const std::vector<trip::v1::TripEvent>& log() const { return log_; }
  /// The events for a fresh follower: everything from the first event of the oldest open trip on.
  std::size_t OldestOpen() const;

 private:
  absl::StatusOr<trip::v1::Trip> Carry(const trip::v1::AssignTripRequest& request);
  absl::StatusOr<trip::v1::Trip> Carry(const trip::v1::AdvanceTripRequest& request);
  absl::StatusOr<trip::v1::Trip> Carry(const trip::v1::ReleaseTripRequest& request);
  absl::StatusOr<trip::v1::Trip> Carry(const trip::v1::GiveUpTripRequest& request);
  absl::StatusOr<trip::v1::Trip> Carry(const trip::v1::ReportDriverLostRequest& request);
  absl::StatusOr<trip::v1::Trip> Carry(const trip::v1::CancelTripRequest& request);
  trip::v1::Trip Make(const std::string& id, LatLng pickup, LatLng dropoff, Time now,
                      std::uint32_t party_size) const;
  const trip::v1::Trip& Commit(trip::v1::Trip trip, trip::v1::TripState state);

  const std::string market_;
  std::map<std::string, trip::v1::Trip> trips_;
  std::vector<trip::v1::TripEvent> log_;
};

}  // namespace ridestream::dispatch
