#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "services/dispatch/runner/lease_port.h"
#include "services/dispatch/runner/location_port.h"
#include "services/dispatch/runner/position_forwarder.h"
#include "services/dispatch/runner/progress_reporter.h"
#include "services/dispatch/runner/trip_port.h"
#include "tests/sim/call.h"
#include "tests/sim/link.h"
#include "tests/sim/location_process.h"
#include "tests/sim/trip_process.h"

namespace ridestream::sim {

/// The services that dispatch calls; a pointer is null while that process is down.
struct Neighbours {
  Host& trip_host;
  std::unique_ptr<TripProcess>& trip;
  Host& location_host;
  std::unique_ptr<LocationProcess>& location;
};

/// Trip and location behind dispatch's ports, over the simulated network. Operations in flight end
/// with the life of `host`.

class SimLocation final : public dispatch::LocationPort {
 public:
  SimLocation(Context& context, Host& host, const Neighbours& neighbours)
      : context_(context), host_(host), neighbours_(neighbours) {}
  void FindNearest(location::v1::FindNearestRequest request, const dispatch::CallOptions& options,
                   Done done) override;

 private:
  Context& context_;
  Host& host_;
  const Neighbours neighbours_;
};

class SimTrip final : public dispatch::TripPort {
 public:
  /// Observes what dispatch sends and receives.
  struct Watch {
    std::function<void(const dispatch::TripRequest&)> command;
    /// A message of the log was taken.
    std::function<void(const trip::v1::FollowTripsResponse&)> log_taken;
  };
  SimTrip(Context& context, Host& host, const Neighbours& neighbours, Watch watch)
      : context_(context), host_(host), neighbours_(neighbours), watch_(std::move(watch)) {}
  void Execute(dispatch::TripRequest request, const dispatch::CallOptions& options,
               CommandEnded done) override;
  void ReportSurge(trip::v1::ReportSurgeRequest request, const dispatch::CallOptions& options,
                   SurgeEnded done) override;
  std::unique_ptr<streams::ReadStream> FollowTrips(trip::v1::FollowTripsRequest request,
                                                   LogListener& listener) override;

 private:
  Context& context_;
  Host& host_;
  const Neighbours neighbours_;
  const Watch watch_;
};

class SimLeases final : public dispatch::LeasePort {
 public:
  SimLeases(Context& context, Host& host, const Neighbours& neighbours)
      : context_(context), host_(host), neighbours_(neighbours) {}
  void Acquire(trip::v1::AcquireLeaseRequest request, const dispatch::CallOptions& options,
               Done<trip::v1::AcquireLeaseResponse> done) override;
  void Renew(trip::v1::RenewLeaseRequest request, const dispatch::CallOptions& options,
             Done<trip::v1::RenewLeaseResponse> done) override;
  void Release(trip::v1::ReleaseLeaseRequest request, const dispatch::CallOptions& options,
               Done<trip::v1::ReleaseLeaseResponse> done) override;

 private:
  Context& context_;
  Host& host_;
  const Neighbours neighbours_;
};

dispatch::PositionForwarder::Open SimPositionStreams(Context& context, Host& host,
                                                     const Neighbours& neighbours);
dispatch::ProgressReporter::Open SimProgressStreams(Context& context, Host& host,
                                                    const Neighbours& neighbours);

}  // namespace ridestream::sim
