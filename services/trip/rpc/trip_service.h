#pragma once

#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "grpcpp/grpcpp.h"
#include "libs/base/clock.h"
#include "libs/rpc/caller.h"
#include "ridestream/trip/v1/trip.grpc.pb.h"
#include "services/trip/domain/promise.h"
#include "services/trip/domain/quote_router.h"
#include "services/trip/domain/report_exchange.h"
#include "services/trip/domain/surge_table.h"
#include "services/trip/domain/trip_store.h"
#include "services/trip/rpc/id_generator.h"
#include "services/trip/rpc/trip_feed.h"
#include "services/trip/rpc/worker_pool.h"

namespace ridestream::trip {

/// TripService over a store. Handlers check, hand over and return: commands are completed by the
/// store's thread, reads and searches for a way run on pools. Thread-safe. Its server must have
/// stopped before it is destroyed.
class TripService final : public v1::TripService::WithRawCallbackMethod_ReportProgress<
                              v1::TripService::CallbackService> {
 public:
  /// Calls that may wait for a thread of either pool; one more gets RESOURCE_EXHAUSTED.
  static constexpr size_t kMaxWaiting = 4096;

  /// What it refers to must outlive it.
  struct Options {
    TripStore& store;
    TripFeed& feed;  ///< Where the store publishes.
    SurgeTable& surge;
    /// Told of what is reported here; null when no other process shares the store.
    ReportExchange* exchange = nullptr;
    const Clock& clock;
    const rpc::Authenticator& authenticator;
    std::map<std::string, const QuoteRouter*> markets;
    v1::Tariff tariff;     ///< Valid.
    SharingTerms sharing;  ///< Valid.
    Duration quote_lifetime = std::chrono::minutes(5);
    size_t reader_threads = 2;
    size_t router_threads = 2;
  };

  explicit TripService(Options options);

  /// Calls that wait for a thread that reads, or one that searches ways.
  size_t waiting_reads() const { return readers_.waiting(); }
  size_t waiting_quotes() const { return routers_.waiting(); }

  // Riders.
  grpc::ServerUnaryReactor* QuoteTrip(grpc::CallbackServerContext* context,
                                      const v1::QuoteTripRequest* request,
                                      v1::QuoteTripResponse* response) override;
  grpc::ServerUnaryReactor* RequestTrip(grpc::CallbackServerContext* context,
                                        const v1::RequestTripRequest* request,
                                        v1::RequestTripResponse* response) override;
  grpc::ServerUnaryReactor* CancelTrip(grpc::CallbackServerContext* context,
                                       const v1::CancelTripRequest* request,
                                       v1::CancelTripResponse* response) override;
  grpc::ServerUnaryReactor* ChangeDestination(grpc::CallbackServerContext* context,
                                              const v1::ChangeDestinationRequest* request,
                                              v1::ChangeDestinationResponse* response) override;
  grpc::ServerUnaryReactor* GetTrip(grpc::CallbackServerContext* context,
                                    const v1::GetTripRequest* request,
                                    v1::GetTripResponse* response) override;
  grpc::ServerUnaryReactor* ListTrips(grpc::CallbackServerContext* context,
                                      const v1::ListTripsRequest* request,
                                      v1::ListTripsResponse* response) override;
  grpc::ServerWriteReactor<v1::WatchTripResponse>* WatchTrip(
      grpc::CallbackServerContext* context, const v1::WatchTripRequest* request) override;

  // Services.
  grpc::ServerWriteReactor<v1::FollowTripsResponse>* FollowTrips(
      grpc::CallbackServerContext* context, const v1::FollowTripsRequest* request) override;
  grpc::ServerUnaryReactor* AssignTrip(grpc::CallbackServerContext* context,
                                       const v1::AssignTripRequest* request,
                                       v1::AssignTripResponse* response) override;
  grpc::ServerUnaryReactor* AdvanceTrip(grpc::CallbackServerContext* context,
                                        const v1::AdvanceTripRequest* request,
                                        v1::AdvanceTripResponse* response) override;
  grpc::ServerUnaryReactor* ReleaseTrip(grpc::CallbackServerContext* context,
                                        const v1::ReleaseTripRequest* request,
                                        v1::ReleaseTripResponse* response) override;
  grpc::ServerUnaryReactor* GiveUpTrip(grpc::CallbackServerContext* context,
                                       const v1::GiveUpTripRequest* request,
                                       v1::GiveUpTripResponse* response) override;
  grpc::ServerUnaryReactor* ReportDriverLost(grpc::CallbackServerContext* context,
                                             const v1::ReportDriverLostRequest* request,
                                             v1::ReportDriverLostResponse* response) override;
  grpc::ServerUnaryReactor* ReportSurge(grpc::CallbackServerContext* context,
                                        const v1::ReportSurgeRequest* request,
                                        v1::ReportSurgeResponse* response) override;
  grpc::ServerReadReactor<grpc::ByteBuffer>* ReportProgress(grpc::CallbackServerContext* context,
                                                            grpc::ByteBuffer* response) override;

 private:
  /// Sends the command and lets the store's completion answer; a status that isn't OK is answered
  /// at once.
  template <class Response>
  grpc::ServerUnaryReactor* Submit(grpc::CallbackServerContext* context,
                                   absl::StatusOr<Command> command, Response* response);
  /// The same for calls of services.
  template <class Request, class Response>
  grpc::ServerUnaryReactor* SubmitForService(grpc::CallbackServerContext* context,
                                             const Request& request, Response* response);
  absl::StatusOr<rpc::Caller> RequireRider(const grpc::CallbackServerContext& context) const;
  absl::Status RequireService(const grpc::CallbackServerContext& context) const;
  /// Riders and services.
  absl::StatusOr<rpc::Caller> RequireRiderOrService(
      const grpc::CallbackServerContext& context) const;
  absl::StatusOr<v1::Trip> ReadTripFor(const rpc::Caller& caller, const TripId& trip_id,
                                       TripStore::Deadline deadline) const;
  absl::StatusOr<Quote> MakeQuote(const rpc::Caller& rider, const v1::QuoteTripRequest& request);
  absl::StatusOr<v1::Fare> FareForChange(const ChangeDestinationCommand& command,
                                         const rpc::Caller& rider,
                                         TripStore::Deadline deadline) const;

  const Options options_;
  IdGenerator ids_;
  WorkerPool readers_;
  WorkerPool routers_;
};

}  // namespace ridestream::trip
