#pragma once

#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "libs/base/clock.h"
#include "libs/base/worker.h"
#include "libs/identity/policy.h"
#include "libs/identity/principal.h"
#include "libs/server_streams/pull_stream.h"
#include "libs/server_streams/push_stream.h"
#include "libs/service/markets.h"
#include "libs/tracing/trace_context.h"
#include "services/trip/domain/known_terms.h"
#include "services/trip/domain/promise.h"
#include "services/trip/domain/quote_router.h"
#include "services/trip/domain/report_exchange.h"
#include "services/trip/domain/surge_table.h"
#include "services/trip/domain/trip_store.h"
#include "services/trip/handlers/id_generator.h"
#include "services/trip/handlers/log_follower.h"
#include "services/trip/handlers/request_checks.h"
#include "services/trip/handlers/trip_feed.h"
#include "services/trip/handlers/trip_watcher.h"
#include "services/trip/handlers/worker_pool.h"

namespace ridestream::trip {

/// The logic of every TripService call, independent of the transport. Handlers validate the
/// request, pass it on and return: the store completes commands, reads and computations of routes
/// run on pools. The transport has authenticated the caller and checked the method's policy.
/// Thread-safe. All calls must have ended before it is destroyed.
class TripHandlers {
 public:
  /// Maximum number of calls waiting for a worker of each pool. Further calls get
  /// RESOURCE_EXHAUSTED.
  static constexpr size_t kMaxWaiting = 4096;

  /// The objects that the arguments refer to must outlive this one.
  struct Options {
    TripStore& store;
    TripFeed& feed;  ///< Where the store publishes.
    SurgeTable& surge;
    KnownTerms& terms;
    /// Receives the reports that arrive here; null if no other process shares the store.
    ReportExchange* exchange = nullptr;
    const Clock& clock;
    Executor& executor;  ///< For the pools.
    std::map<std::string, const QuoteRouter*> markets;
    v1::Tariff tariff;     ///< Valid.
    SharingTerms sharing;  ///< Valid.
    Duration quote_lifetime = std::chrono::minutes(5);
    size_t reader_threads = 2;
    size_t router_threads = 2;
    /// Number of events in a page of a follower.
    size_t page_events = LogFollower::kPageEvents;
    /// Source of ids that can't be guessed.
    std::mt19937_64 random = IdGenerator::SeededByTheSystem();
  };

  /// What a handler knows about its call.
  struct Call {
    identity::Principal caller;
    /// The part of the method's policy that handlers must enforce on the records they read.
    identity::Permission permission = {};
    TripStore::Deadline deadline = TripStore::kNoDeadline;
    /// For logs.
    std::string request_id = {};
    /// The span of the call; not valid if the call isn't traced.
    tracing::SpanContext span = {};
    /// Whether the caller has cancelled. Null if the transport can't say.
    std::function<bool()> is_cancelled = nullptr;
  };

  /// Sends the answer. Called once, on any thread, possibly before the handler returns.
  template <class Response>
  using Reply = std::function<void(absl::StatusOr<Response>)>;
  using TripReply = TripStore::TripDone;
  template <class Message>
  using StreamPtr = std::shared_ptr<streams::PushStream<Message>>;

  explicit TripHandlers(Options options);

  /// Number of calls that wait for a worker that reads, or for one that computes routes.
  size_t waiting_reads() const { return readers_.waiting(); }
  size_t waiting_quotes() const { return routers_.waiting(); }

  // For riders.
  void QuoteTrip(const Call& call, const v1::QuoteTripRequest& request,
                 Reply<v1::QuoteTripResponse> reply);
  void RequestTrip(const Call& call, const v1::RequestTripRequest& request, TripReply reply);
  void ChangeDestination(const Call& call, const v1::ChangeDestinationRequest& request,
                         TripReply reply);

  // For riders and services.
  void CancelTrip(const Call& call, const v1::CancelTripRequest& request, TripReply reply);
  void GetTrip(const Call& call, const v1::GetTripRequest& request, Reply<v1::Trip> reply);
  void ListTrips(const Call& call, const v1::ListTripsRequest& request,
                 Reply<v1::ListTripsResponse> reply);
  /// Opens a stream that writes to `writer`. It may have ended already.
  StreamPtr<v1::WatchTripResponse> WatchTrip(const Call& call, const v1::WatchTripRequest& request,
                                             streams::StreamWriter<v1::WatchTripResponse>& writer);

  // For services.
  /// AssignTrip, AdvanceTrip, ReleaseTrip, GiveUpTrip and ReportDriverLost.
  template <class Request>
  void Carry(const Call& call, const Request& request, TripReply reply) {
    Submit(call, ToCommand(request), std::move(reply));
  }
  void AcquireLease(const Call& call, const v1::AcquireLeaseRequest& request,
                    Reply<v1::AcquireLeaseResponse> reply);
  void RenewLease(const Call& call, const v1::RenewLeaseRequest& request,
                  Reply<v1::RenewLeaseResponse> reply);
  void ReleaseLease(const Call& call, const v1::ReleaseLeaseRequest& request,
                    Reply<v1::ReleaseLeaseResponse> reply);
  StreamPtr<v1::FollowTripsResponse> FollowTrips(
      const v1::FollowTripsRequest& request,
      streams::StreamWriter<v1::FollowTripsResponse>& writer);
  absl::Status ReportSurge(const v1::ReportSurgeRequest& request);
  /// Opens a stream that reads from `reader`. It may have ended already.
  std::shared_ptr<ProgressReader> ReportProgress(
      streams::StreamReader<v1::ReportProgressResponse>& reader);

 private:
  void Submit(const Call& call, absl::StatusOr<Command> command, TripReply reply);
  /// Validates a report and records its terms. FAILED_PRECONDITION names a market that isn't served
  /// here, or a term that is over.
  absl::Status Accept(const v1::ReportProgressRequest& report);
  /// Changes the lease of a market that is served here.
  void ChangeLease(const Call& call, absl::StatusOr<LeaseCommand> command,
                   TripStore::LeaseDone done);
  v1::Lease Describe(const LeaseAnswer& answer) const;
  /// NOT_FOUND if the trip doesn't exist, PERMISSION_DENIED if it is another rider's or in another
  /// market.
  absl::StatusOr<v1::Trip> ReadTripFor(const Call& call, const TripId& trip_id) const;
  absl::StatusOr<Quote> MakeQuote(const std::string& rider, const v1::QuoteTripRequest& request);
  absl::StatusOr<v1::Fare> FareForChange(const Call& call,
                                         const ChangeDestinationCommand& command) const;
  absl::StatusOr<v1::ListTripsResponse> ReadPage(const Call& call, const TripFilter& filter,
                                                 std::uint64_t before, std::uint32_t page_size);

  const Options options_;
  const service::ServedMarkets served_;  // options_.markets.
  IdGenerator ids_;
  // Declared last, since their tasks use all members above.
  WorkerPool readers_;
  WorkerPool routers_;
};

}  // namespace ridestream::trip
