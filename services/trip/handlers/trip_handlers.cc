#include "services/trip/handlers/trip_handlers.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "libs/base/validation.h"
#include "libs/proto_values/proto_values.h"
#include "libs/tracing/process_tracer.h"
#include "services/trip/domain/fare.h"
#include "services/trip/handlers/page_token.h"

namespace ridestream::trip {
namespace {

absl::Status TooBusy() {
  return absl::ResourceExhaustedError("too many calls are waiting; try again later");
}

/// Answers with what `work()` returns on a worker of the pool, unless the caller cancelled by then.
template <class Reply, class Work>
void RunOn(WorkerPool& pool, const TripHandlers::Call& call, const Reply& reply, Work work) {
  const bool runs = pool.TryRun([is_cancelled = call.is_cancelled, reply, work = std::move(work)] {
    if (is_cancelled && is_cancelled()) {
      return reply(absl::CancelledError("the caller cancelled or its deadline has passed"));
    }
    reply(work());
  });
  if (!runs) reply(TooBusy());
}

/// A span from now until the command's commit, the time in the store's queue included.
TripHandlers::TripReply WithCommitSpan(const tracing::SpanContext& call,
                                       TripHandlers::TripReply reply) {
  // Shared, since a std::function is copyable.
  const auto span = std::make_shared<tracing::Span>(
      tracing::StartSpan("ridestream.trip.commit", {.parent = call}));
  return [span, reply = std::move(reply)](absl::StatusOr<TripPtr> trip) {
    if (trip.ok()) span->SetAttribute("ridestream.trip.id", (*trip)->trip_id());
    span->End();
    reply(std::move(trip));
  };
}

}  // namespace

TripHandlers::TripHandlers(Options options)
    : options_(std::move(options)),
      served_(service::ServedMarkets::KeysOf(options_.markets)),
      ids_(options_.clock, options_.random),
      readers_(options_.executor, options_.reader_threads, kMaxWaiting),
      routers_(options_.executor, options_.router_threads, kMaxWaiting) {}

void TripHandlers::Submit(const Call& call, absl::StatusOr<Command> command, TripReply reply) {
  if (!command.ok()) return reply(command.status());
  if (call.span.valid()) reply = WithCommitSpan(call.span, std::move(reply));
  options_.store.Submit(*std::move(command), std::move(reply), call.deadline);
}

// Commands of riders.

void TripHandlers::QuoteTrip(const Call& call, const v1::QuoteTripRequest& request,
                             Reply<v1::QuoteTripResponse> reply) {
  if (absl::Status status = CheckRequest(request); !status.ok()) return reply(status);
  const bool runs =
      routers_.TryRun([this, rider = call.caller.id, deadline = call.deadline, request, reply] {
        absl::StatusOr<Quote> quote = MakeQuote(rider, request);
        if (!quote.ok()) return reply(quote.status());
        v1::QuoteTripResponse response;
        response.set_quote_id(quote->id.str());
        *response.mutable_fare() = quote->trip.fare();
        if (quote->trip.has_promise()) *response.mutable_promise() = quote->trip.promise();
        *response.mutable_expires_at() = ToProto(quote->expires_at);
        options_.store.SaveQuote(
            *std::move(quote),
            [reply, response = std::move(response)](const absl::Status& status) {
              if (!status.ok()) return reply(status);
              reply(response);
            },
            deadline);
      });
  if (!runs) reply(TooBusy());
}

absl::StatusOr<Quote> TripHandlers::MakeQuote(const std::string& rider,
                                              const v1::QuoteTripRequest& request) {
  const auto market = options_.markets.find(request.market());
  if (market == options_.markets.end()) return served_.Check(request.market(), "market");
  const absl::StatusOr<Way> way =
      market->second->FindWay(FromProto(request.pickup()), FromProto(request.dropoff()));
  if (!way.ok()) return way.status();
  Quote quote{QuoteId(ids_.Next('q')), options_.clock.Now() + options_.quote_lifetime, {}};
  quote.trip.set_market(request.market());
  quote.trip.mutable_passenger()->set_rider_id(rider);
  quote.trip.mutable_passenger()->set_party_size(request.party_size());
  *quote.trip.mutable_pickup() = request.pickup();
  *quote.trip.mutable_dropoff() = request.dropoff();
  // Frozen with the tariff: also another destination costs by this.
  v1::Tariff tariff = options_.tariff;
  const std::uint32_t surge =
      options_.surge.PercentAt(request.market(), FromProto(request.pickup()), options_.clock.Now());
  if (surge > kNoSurgePercent) tariff.set_surge_percent(surge);
  *quote.trip.mutable_fare() = MakeFare(tariff, way->length_m, way->duration, request.shared());
  if (request.shared()) {
    *quote.trip.mutable_promise() = MakePromise(options_.sharing, way->duration);
  }
  return quote;
}

void TripHandlers::RequestTrip(const Call& call, const v1::RequestTripRequest& request,
                               TripReply reply) {
  absl::StatusOr<Command> command = ToCommand(call.caller, TripId(ids_.Next('t')), request);
  if (command.ok()) {
    auto& made = std::get<RequestCommand>(*command);
    made.x_request_id = call.request_id;
    if (call.span.valid()) made.traceparent = tracing::FormatTraceParent(call.span);
  }
  Submit(call, std::move(command), std::move(reply));
}

void TripHandlers::CancelTrip(const Call& call, const v1::CancelTripRequest& request,
                              TripReply reply) {
  Submit(call, ToCommand(call.caller, request), std::move(reply));
}

void TripHandlers::ChangeDestination(const Call& call, const v1::ChangeDestinationRequest& request,
                                     TripReply reply) {
  absl::StatusOr<ChangeDestinationCommand> command = ToCommand(call.caller, request);
  if (!command.ok()) return reply(command.status());
  const bool runs = routers_.TryRun([this, call, command = *std::move(command), reply] {
    // Pick-up and tariff of a trip never change, so that the fare may be made beforehand.
    absl::StatusOr<v1::Fare> fare = FareForChange(call, command);
    if (!fare.ok()) return reply(fare.status());
    ChangeDestinationCommand with_fare = command;
    with_fare.fare = *std::move(fare);
    Submit(call, Command(std::move(with_fare)), reply);
  });
  if (!runs) reply(TooBusy());
}

absl::StatusOr<v1::Fare> TripHandlers::FareForChange(
    const Call& call, const ChangeDestinationCommand& command) const {
  const absl::StatusOr<v1::Trip> trip = ReadTripFor(call, command.trip_id);
  if (!trip.ok()) return trip.status();
  const auto market = options_.markets.find(trip->market());
  if (market == options_.markets.end()) {
    return absl::FailedPreconditionError(fmt::format(
        "market '{}' of trip {} is no longer served here", trip->market(), command.trip_id));
  }
  const absl::StatusOr<Way> way =
      market->second->FindWay(FromProto(trip->pickup()), command.dropoff);
  if (!way.ok()) return way.status();
  return MakeFare(trip->fare().tariff(), way->length_m, way->duration);
}

// Reads.

absl::StatusOr<v1::Trip> TripHandlers::ReadTripFor(const Call& call, const TripId& trip_id) const {
  absl::StatusOr<v1::Trip> trip = options_.store.GetTrip(trip_id, call.deadline);
  if (!trip.ok()) return trip;
  if (call.permission.scope == identity::Scope::kOwn &&
      trip->passenger().rider_id() != call.caller.id) {
    return absl::PermissionDeniedError(fmt::format("trip {} is another rider's", trip_id));
  }
  if (!call.permission.market.empty() && call.permission.market != trip->market()) {
    return absl::PermissionDeniedError(fmt::format("trip {} is of another market", trip_id));
  }
  return trip;
}

void TripHandlers::GetTrip(const Call& call, const v1::GetTripRequest& request,
                           Reply<v1::Trip> reply) {
  if (absl::Status status = ValidateId(request.trip_id(), "trip_id"); !status.ok()) {
    return reply(status);
  }
  RunOn(readers_, call, reply,
        [this, call, id = TripId(request.trip_id())] { return ReadTripFor(call, id); });
}

void TripHandlers::ListTrips(const Call& call, const v1::ListTripsRequest& request,
                             Reply<v1::ListTripsResponse> reply) {
  if (absl::Status status = CheckRequest(request); !status.ok()) return reply(status);
  TripFilter filter{RiderId(request.rider_id()), MarketId(request.market())};
  // The policy has refused riders who ask for another's.
  if (call.permission.scope == identity::Scope::kOwn) filter.rider = RiderId(call.caller.id);
  if (filter.market.empty()) filter.market = MarketId(call.permission.market);
  std::uint64_t before = 0;
  if (!request.page_token().empty()) {
    const absl::StatusOr<std::uint64_t> parsed = ParsePageToken(filter, request.page_token());
    if (!parsed.ok()) return reply(parsed.status());
    before = *parsed;
  }
  RunOn(readers_, call, reply, [this, call, filter, before, page_size = request.page_size()] {
    return ReadPage(call, filter, before, page_size);
  });
}

absl::StatusOr<v1::ListTripsResponse> TripHandlers::ReadPage(const Call& call,
                                                             const TripFilter& filter,
                                                             std::uint64_t before,
                                                             std::uint32_t page_size) {
  const size_t limit = page_size == 0 ? kDefaultPageSize : page_size;
  absl::StatusOr<TripPage> page = options_.store.ListTrips(filter, before, limit, call.deadline);
  if (!page.ok()) return page.status();
  v1::ListTripsResponse response;
  for (v1::Trip& trip : page->trips) *response.add_trips() = std::move(trip);
  if (page->next_before != 0) {
    response.set_next_page_token(MakePageToken(filter, page->next_before));
  }
  return response;
}

TripHandlers::StreamPtr<v1::WatchTripResponse> TripHandlers::WatchTrip(
    const Call& call, const v1::WatchTripRequest& request,
    streams::StreamWriter<v1::WatchTripResponse>& writer) {
  const auto watcher =
      TripWatcher::Make(writer, TripId(request.trip_id()),
                        [this](TripWatcher* ended) { options_.feed.Remove(ended); });
  absl::Status status = ValidateId(request.trip_id(), "trip_id");
  // Listens before it reads, so that no change falls in between.
  if (status.ok()) status = options_.feed.Add(watcher);
  if (!status.ok()) {
    watcher->Close(status);
    return watcher->stream();
  }
  const bool runs =
      readers_.TryRun([this, watcher, caller = call.caller, permission = call.permission] {
        absl::StatusOr<v1::Trip> trip =
            ReadTripFor({.caller = caller, .permission = permission}, watcher->trip_id());
        if (!trip.ok()) return watcher->Close(trip.status());
        watcher->Begin(*trip);
      });
  if (!runs) watcher->Close(absl::UnavailableError("too many calls are waiting; watch again"));
  return watcher->stream();
}

// For services.

TripHandlers::StreamPtr<v1::FollowTripsResponse> TripHandlers::FollowTrips(
    const v1::FollowTripsRequest& request, streams::StreamWriter<v1::FollowTripsResponse>& writer) {
  absl::Status status = CheckRequest(request);
  for (int i = 0; status.ok() && i < request.markets_size(); ++i) {
    status = served_.Check(request.markets(i), fmt::format("markets[{}]", i));
  }
  const auto follower = LogFollower::Make(
      writer, {.store = options_.store,
               .tail = options_.feed.tail(),
               .readers = readers_,
               .markets = {request.markets().begin(), request.markets().end()},
               .on_done = [this](LogFollower* ended) { options_.feed.Remove(ended); },
               .page_events = options_.page_events});
  if (status.ok()) status = options_.feed.Add(follower);
  if (!status.ok()) {
    follower->Close(status);
  } else if (request.start_case() == v1::FollowTripsRequest::kOldestOpen) {
    follower->BeginAtOldestOpen();
  } else {
    follower->BeginAfter(request.after_sequence());
  }
  return follower->stream();
}

void TripHandlers::AcquireLease(const Call& call, const v1::AcquireLeaseRequest& request,
                                Reply<v1::AcquireLeaseResponse> reply) {
  ChangeLease(call, ToLeaseCommand(request, options_.clock.rate()),
              [this, reply = std::move(reply)](const absl::StatusOr<LeaseAnswer>& answer) {
                if (!answer.ok()) return reply(answer.status());
                v1::AcquireLeaseResponse response;
                response.set_acquired(answer->held);
                *response.mutable_lease() = Describe(*answer);
                reply(std::move(response));
              });
}

void TripHandlers::RenewLease(const Call& call, const v1::RenewLeaseRequest& request,
                              Reply<v1::RenewLeaseResponse> reply) {
  ChangeLease(call, ToLeaseCommand(request, options_.clock.rate()),
              [this, reply = std::move(reply)](const absl::StatusOr<LeaseAnswer>& answer) {
                if (!answer.ok()) return reply(answer.status());
                v1::RenewLeaseResponse response;
                response.set_renewed(answer->held);
                *response.mutable_lease() = Describe(*answer);
                reply(std::move(response));
              });
}

void TripHandlers::ReleaseLease(const Call& call, const v1::ReleaseLeaseRequest& request,
                                Reply<v1::ReleaseLeaseResponse> reply) {
  ChangeLease(call, ToLeaseCommand(request, options_.clock.rate()),
              [this, reply = std::move(reply)](const absl::StatusOr<LeaseAnswer>& answer) {
                if (!answer.ok()) return reply(answer.status());
                v1::ReleaseLeaseResponse response;
                *response.mutable_lease() = Describe(*answer);
                reply(std::move(response));
              });
}

void TripHandlers::ChangeLease(const Call& call, absl::StatusOr<LeaseCommand> command,
                               TripStore::LeaseDone done) {
  if (!command.ok()) return done(command.status());
  if (!options_.markets.contains(command->market.str())) {
    return done(absl::NotFoundError(fmt::format("market '{}' isn't served here", command->market)));
  }
  options_.store.ChangeLease(
      *std::move(command),
      [this, done = std::move(done)](const absl::StatusOr<LeaseAnswer>& answer) {
        // Before the new holder knows of its term: whatever reaches this process after the holder's
        // first report is checked against it.
        if (answer.ok()) options_.terms.Learn(answer->lease.market.str(), answer->lease.term);
        done(answer);
      },
      call.deadline);
}

v1::Lease TripHandlers::Describe(const LeaseAnswer& answer) const {
  v1::Lease lease;
  lease.set_market(answer.lease.market.str());
  lease.set_holder(answer.lease.holder);
  lease.set_address(answer.lease.address);
  lease.set_term(answer.lease.term);
  *lease.mutable_ends_in() =
      ToProto(std::chrono::duration_cast<Duration>(options_.clock.ToWall(answer.ends_in)));
  return lease;
}

absl::Status TripHandlers::ReportSurge(const v1::ReportSurgeRequest& request) {
  absl::Status status = ValidateId(request.market(), "market");
  if (status.ok()) status = served_.Check(request.market(), "market");
  if (status.ok()) status = ValidateSurge(request);
  if (status.ok()) status = options_.terms.Accept(request.market(), request.term());
  if (!status.ok()) return status;
  const Time now = options_.clock.Now();
  options_.surge.Replace(request, now);
  if (options_.exchange != nullptr) options_.exchange->Share(request, now);
  return absl::OkStatus();
}

absl::Status TripHandlers::Accept(const v1::ReportProgressRequest& report) {
  absl::Status status = CheckReport(report);
  for (int i = 0; status.ok() && i < report.trips_size(); ++i) {
    const v1::TripProgress& entry = report.trips(i);
    status = served_.Check(entry.market(), fmt::format("trips[{}].market", i));
    if (status.ok()) status = options_.terms.Accept(entry.market(), entry.term());
  }
  return status;
}

std::shared_ptr<ProgressReader> TripHandlers::ReportProgress(
    streams::StreamReader<v1::ReportProgressResponse>& reader) {
  using Response = v1::ReportProgressResponse;
  ProgressReader::Options stream_options{
      .on_message = [this, response = Response()](const v1::ReportProgressRequest& report) mutable
      -> absl::StatusOr<Response> {
        if (absl::Status status = Accept(report); !status.ok()) return status;
        options_.feed.Report(report);
        if (options_.exchange != nullptr) options_.exchange->Share(report);
        response.set_received(response.received() +
                              static_cast<std::uint64_t>(report.trips_size()));
        return response;
      },
      .on_done = [this](ProgressReader* ended) { options_.feed.Remove(ended); }};
  const auto stream = std::make_shared<ProgressReader>(reader, std::move(stream_options));
  if (absl::Status status = options_.feed.Add(stream); !status.ok()) {
    stream->Close(status);
  } else {
    stream->Begin();
  }
  return stream;
}

}  // namespace ridestream::trip
