#pragma once

#include <memory>
#include <string>
#include <utility>

#include "libs/base/mutex.h"
#include "ridestream/trip/v1/trip.grpc.pb.h"
#include "services/dispatch/runner/lease_port.h"
#include "services/dispatch/runner/progress_reporter.h"
#include "services/dispatch/runner/trip_port.h"

namespace ridestream::dispatch {

/// The trip service over gRPC. End waits for calls in progress. Thread-safe.
class TripClient final : public TripPort, public LeasePort {
 public:
  /// All calls concern `market`. `stub` must outlive this object.
  TripClient(trip::v1::TripService::StubInterface& stub, std::string market)
      : stub_(stub), market_(std::move(market)) {}
  ~TripClient() override;

  void Execute(TripRequest request, const CallOptions& options, CommandEnded done) override;
  void ReportSurge(trip::v1::ReportSurgeRequest request, const CallOptions& options,
                   SurgeEnded done) override;
  std::unique_ptr<streams::ReadStream> FollowTrips(trip::v1::FollowTripsRequest request,
                                                   LogListener& listener) override;
  void Acquire(trip::v1::AcquireLeaseRequest request, const CallOptions& options,
               Done<trip::v1::AcquireLeaseResponse> done) override;
  void Renew(trip::v1::RenewLeaseRequest request, const CallOptions& options,
             Done<trip::v1::RenewLeaseResponse> done) override;
  void Release(trip::v1::ReleaseLeaseRequest request, const CallOptions& options,
               Done<trip::v1::ReleaseLeaseResponse> done) override;

 private:
  /// `call` starts the call on the stub; `done` receives its status and response.
  template <class Response, class Request, class Call, class OnDone>
  void Start(Request request, const CallOptions& options, Call call, OnDone done);
  template <class Response, class Request, class Call>
  void Command(Request request, const CallOptions& options, CommandEnded done, Call call);
  void EndCall();

  trip::v1::TripService::StubInterface& stub_;
  const std::string market_;
  Mutex mu_;
  CondVar idle_;
  int calls_under_way_ ABSL_GUARDED_BY(mu_) = 0;
};

/// Opens streams of progress on the stub, which must outlive the streams. They carry all markets of
/// this process, and therefore name none.
ProgressReporter::Open ProgressStreams(trip::v1::TripService::StubInterface& stub);

}  // namespace ridestream::dispatch
