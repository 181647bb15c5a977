#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/base/clock.h"
#include "ridestream/trip/v1/trip.grpc.pb.h"

namespace ridestream::loadtest {

/// Reads trip's record, as a service. Blocks; repeats a failed call a few times. Not thread-safe.
class RecordReader {
 public:
  RecordReader(const std::shared_ptr<grpc::Channel>& channel, std::string market)
      : stub_(trip::v1::TripService::NewStub(channel)), market_(std::move(market)) {}

  /// The current last sequence of the log.
  absl::StatusOr<std::uint64_t> LastSequence();
  /// Calls `on_event` for each event of the market after the sequence `after`, in order, up to the
  /// current end of the log.
  absl::Status ReadLog(std::uint64_t after,
                       const std::function<void(const trip::v1::TripEvent&)>& on_event);
  /// Calls `on_trip` for each of the market's trips that was requested at `since` or later, page by
  /// page, and for some older trips.
  absl::Status ListTrips(Time since, const std::function<void(const trip::v1::Trip&)>& on_trip);

 private:
  absl::StatusOr<std::uint64_t> Follow(
      trip::v1::FollowTripsRequest request,
      const std::function<void(const trip::v1::TripEvent&)>& on_event);

  const std::unique_ptr<trip::v1::TripService::Stub> stub_;
  const std::string market_;
};

}  // namespace ridestream::loadtest
