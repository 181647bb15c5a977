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

/// What every call of TripService does, whatever carries it. Handlers check, hand over and return:
/// commands are completed by the store, reads and searches for a way run on pools. The transport
/// has found out who calls, and that the method's policy permits it. Thread-safe. All calls must
/// have ended before it is destroyed.
class TripHandlers {
 public:
  /// Calls that may wait for a worker of either pool; one more gets RESOURCE_EXHAUSTED.
  static constexpr size_t kMaxWaiting = 4096;

  /// What it refers to must outlive it.
  struct Options {
    TripStore& store;
    TripFeed& feed;  ///< Where the store publishes.
    SurgeTable& surge;
    KnownTerms& terms;
    /// Told of what is reported here; null when no other process shares the store.
    ReportExchange* exchange = nullptr;
    const Clock& clock;
    Executor& executor;  ///< For the pools.
    std::map<std::string, const QuoteRouter*> markets;
    v1::Tariff tariff;     ///< Valid.
    SharingTerms sharing;  ///< Valid.
    Duration quote_lifetime = std::chrono::minutes(5);
    size_t reader_threads = 2;
    size_t router_threads = 2;
    /// Events that a follower is given at once.
    size_t page_events = LogFollower::kPageEvents;
    /// For ids that can't be guessed.
    std::mt19937_64 random = IdGenerator::SeededByTheSystem();
  };

  /// A call as its handler sees it.
  struct Call {
    identity::Principal caller;
    /// What the method's policy leaves to the handlers to enforce on what they read.
    identity::Permission permission = {};
    TripStore::Deadline deadline = TripStore::kNoDeadline;
    /// For logs.
    std::string request_id = {};
    /// The span of the call; not valid if the call isn't traced.
    tracing::SpanContext span = {};
    /// Whether the caller cancelled. Null: nobody can tell.
    std::function<bool()> is_cancelled = nullptr;
  };

  /// The answer, given once, on any thread; also before the handler returns.
  template <class Response>
  using Reply = std::function<void(absl::StatusOr<Response>)>;
  using TripReply = TripStore::TripDone;
  template <class Message>
  using StreamPtr = std::shared_ptr<streams::PushStream<Message>>;

  explicit TripHandlers(Options options);

  /// Calls that wait for a worker that reads, or one that searches ways.
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
  /// The stream writes to `writer`, and may have ended already.
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
  /// The stream reads from `reader`, and may have ended already.
  std::shared_ptr<ProgressReader> ReportProgress(
      streams::StreamReader<v1::ReportProgressResponse>& reader);

 private:
  void Submit(const Call& call, absl::StatusOr<Command> command, TripReply reply);
  /// Checks a report and learns the terms in it. FAILED_PRECONDITION names a market that isn't
  /// served here, or a term that is over.
  absl::Status Accept(const v1::ReportProgressRequest& report);
  /// Has the lease of a market that is served here changed.
  void ChangeLease(const Call& call, absl::StatusOr<LeaseCommand> command,
                   TripStore::LeaseDone done);
  v1::Lease Describe(const LeaseAnswer& answer) const;
  /// NOT_FOUND; PERMISSION_DENIED when it is another rider's, or of another market.
  absl::StatusOr<v1::Trip> ReadTripFor(const Call& call, const TripId& trip_id) const;
  absl::StatusOr<Quote> MakeQuote(const std::string& rider, const v1::QuoteTripRequest& request);
  absl::StatusOr<v1::Fare> FareForChange(const Call& call,
                                         const ChangeDestinationCommand& command) const;
  absl::StatusOr<v1::ListTripsResponse> ReadPage(const Call& call, const TripFilter& filter,
                                                 std::uint64_t before, std::uint32_t page_size);

  const Options options_;
  const service::ServedMarkets served_;  // options_.markets.
  IdGenerator ids_;
  // Last: their work uses all above.
  WorkerPool readers_;
  WorkerPool routers_;
};

}  // namespace ridestream::trip
