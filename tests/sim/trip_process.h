#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "services/dispatch/domain/trips/trip_commands.h"
#include "services/trip/domain/known_terms.h"
#include "services/trip/domain/surge_table.h"
#include "services/trip/handlers/trip_feed.h"
#include "services/trip/handlers/trip_handlers.h"
#include "services/trip/streets/streets_router.h"
#include "tests/sim/call.h"
#include "tests/sim/link.h"
#include "tests/sim/server_call.h"
#include "tests/sim/sim_executor.h"
#include "tests/sim/sim_trip_store.h"
#include "tests/sim/town.h"

namespace ridestream::sim {

/// A life of the trip service: the product's handlers, feed and writer, over simulated calls,
/// workers and a simulated disk. Everything that it sends about a trip is checked. Not thread-safe.
class TripProcess {
 public:
  using TripReply = Reply<trip::v1::Trip>;
  template <class Message>
  using Deliver = typename ServerCall<Message>::Deliver;

  TripProcess(Context& context, Host& host, TripDisk& disk, RecordChecker& checker,
              const trip::SharingTerms& sharing);

  void QuoteTrip(const RiderId& rider, const trip::v1::QuoteTripRequest& request,
                 Reply<trip::v1::QuoteTripResponse> reply);
  void RequestTrip(const RiderId& rider, const trip::v1::RequestTripRequest& request,
                   TripReply reply);
  void CancelTrip(const RiderId& rider, const trip::v1::CancelTripRequest& request,
                  TripReply reply);
  void ChangeDestination(const RiderId& rider, const trip::v1::ChangeDestinationRequest& request,
                         TripReply reply);
  /// Executes a command of dispatch.
  void Carry(const dispatch::TripRequest& request, TripReply reply);
  void AcquireLease(const trip::v1::AcquireLeaseRequest& request,
                    Reply<trip::v1::AcquireLeaseResponse> reply);
  void RenewLease(const trip::v1::RenewLeaseRequest& request,
                  Reply<trip::v1::RenewLeaseResponse> reply);
  void ReleaseLease(const trip::v1::ReleaseLeaseRequest& request,
                    Reply<trip::v1::ReleaseLeaseResponse> reply);
  void ReportSurge(const trip::v1::ReportSurgeRequest& request,
                   const Reply<trip::v1::ReportSurgeResponse>& reply);

  void FollowTrips(std::shared_ptr<Link> link, const trip::v1::FollowTripsRequest& request,
                   Deliver<trip::v1::FollowTripsResponse> deliver);
  void WatchTrip(std::shared_ptr<Link> link, const RiderId& rider, const TripId& trip,
                 Deliver<trip::v1::WatchTripResponse> deliver);
  Take<trip::v1::ReportProgressRequest> ReportProgress(std::shared_ptr<Link> link);

  /// Number of rows that would be lost if it died now.
  std::size_t waiting() const { return store_.waiting(); }

 private:
  /// Checks a trip that is sent.
  trip::TripHandlers::TripReply Checked(TripReply reply);

  Context& context_;
  Host& host_;
  RecordChecker& checker_;
  OpenCalls calls_;  // Outlives what it carries.
  const trip::StreetsRouter router_{TownStreets()};
  trip::TripFeed feed_;
  trip::SurgeTable surge_;
  trip::KnownTerms terms_;
  std::uint64_t granted_term_ = 0;  // The newest that this life gave a dispatch.
  SimExecutor executor_;
  SimTripStore store_;
  trip::TripHandlers handlers_;
};

}  // namespace ridestream::sim
