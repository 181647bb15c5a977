#pragma once

#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/streams/stream_ports.h"
#include "ridestream/trip/v1/trip.pb.h"
#include "services/dispatch/domain/trips/trip_commands.h"
#include "services/dispatch/runner/call_options.h"

namespace ridestream::dispatch {

/// The port to the trip service, as one market uses it. Thread-safe. Calls `done` once, never from
/// within.
class TripPort {
 public:
  using CommandEnded = std::function<void(absl::StatusOr<trip::v1::Trip>)>;
  using SurgeEnded = std::function<void(const absl::Status&)>;
  using LogListener = streams::ReadListener<trip::v1::FollowTripsResponse>;

  /// No `done` is called after this returns: calls in progress are waited for, or dropped.
  virtual ~TripPort() = default;
  virtual void Execute(TripRequest request, const CallOptions& options, CommandEnded done) = 0;
  virtual void ReportSurge(trip::v1::ReportSurgeRequest request, const CallOptions& options,
                           SurgeEnded done) = 0;
  virtual std::unique_ptr<streams::ReadStream> FollowTrips(trip::v1::FollowTripsRequest request,
                                                           LogListener& listener) = 0;
};

}  // namespace ridestream::dispatch
