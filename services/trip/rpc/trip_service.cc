#include "services/trip/rpc/trip_service.h"

#include <fmt/format.h>

#include <utility>

#include "libs/base/validation.h"
#include "libs/proto_values/proto_values.h"
#include "libs/rpc/request_id.h"
#include "libs/rpc/status.h"
#include "services/trip/domain/fare.h"
#include "services/trip/rpc/page_token.h"
#include "services/trip/rpc/request_checks.h"
#include "services/trip/rpc/unary_reply.h"

namespace ridestream::trip {
namespace {

grpc::ServerUnaryReactor* Refuse(grpc::CallbackServerContext* context, absl::Status status) {
  const UnaryReply reply(context);
  reply.Finish(std::move(status));
  return reply.reactor();
}

/// A server stream that ends at once.
template <class Response>
grpc::ServerWriteReactor<Response>* RefuseStream(const absl::Status& status) {
  const auto stream = rpc::PushStream<Response>::Make({});
  stream->Close(rpc::ToGrpcStatus(status));
  return stream.get();
}

}  // namespace

TripService::TripService(Options options)
    : options_(std::move(options)),
      ids_(options_.clock),
      readers_(options_.reader_threads, kMaxWaiting),
      routers_(options_.router_threads, kMaxWaiting) {}

absl::StatusOr<rpc::Caller> TripService::RequireRider(
    const grpc::CallbackServerContext& context) const {
  return rpc::RequireCaller(options_.authenticator, context, rpc::CallerKind::kRider);
}

absl::Status TripService::RequireService(const grpc::CallbackServerContext& context) const {
  return rpc::RequireCaller(options_.authenticator, context, rpc::CallerKind::kService).status();
}

absl::StatusOr<rpc::Caller> TripService::RequireRiderOrService(
    const grpc::CallbackServerContext& context) const {
  absl::StatusOr<rpc::Caller> caller = options_.authenticator.Authenticate(context);
  if (caller.ok() && caller->kind == rpc::CallerKind::kDriver) {
    return absl::PermissionDeniedError("this call is for riders and services, not for drivers");
  }
  return caller;
}

template <class Response>
grpc::ServerUnaryReactor* TripService::Submit(grpc::CallbackServerContext* context,
                                              absl::StatusOr<Command> command, Response* response) {
  if (!command.ok()) return Refuse(context, command.status());
  const UnaryReply reply(context);
  options_.store.Submit(
      *std::move(command),
      [reply, response](const absl::StatusOr<TripPtr>& trip) {
        if (trip.ok()) *response->mutable_trip() = **trip;
        reply.Finish(trip.status());
      },
      reply.deadline());
  return reply.reactor();
}

template <class Request, class Response>
grpc::ServerUnaryReactor* TripService::SubmitForService(grpc::CallbackServerContext* context,
                                                        const Request& request,
                                                        Response* response) {
  if (absl::Status status = RequireService(*context); !status.ok()) return Refuse(context, status);
  return Submit(context, ToCommand(request), response);
}

// -- Commands of riders
// ------------------------------------------------------------------------------

grpc::ServerUnaryReactor* TripService::QuoteTrip(grpc::CallbackServerContext* context,
                                                 const v1::QuoteTripRequest* request,
                                                 v1::QuoteTripResponse* response) {
  const absl::StatusOr<rpc::Caller> rider = RequireRider(*context);
  if (!rider.ok()) return Refuse(context, rider.status());
  if (absl::Status status = CheckRequest(*request); !status.ok()) return Refuse(context, status);
  const UnaryReply reply(context);
  const bool runs = routers_.TryRun([this, reply, rider = *rider, request, response] {
    absl::StatusOr<Quote> quote = MakeQuote(rider, *request);
    if (!quote.ok()) return reply.Finish(quote.status());
    response->set_quote_id(quote->id.str());
    *response->mutable_fare() = quote->trip.fare();
    if (quote->trip.has_promise()) *response->mutable_promise() = quote->trip.promise();
    *response->mutable_expires_at() = ToProto(quote->expires_at);
    options_.store.SaveQuote(
        *std::move(quote), [reply](absl::Status status) { reply.Finish(std::move(status)); },
        reply.deadline());
  });
  if (!runs) reply.Finish(UnaryReply::TooBusy());
  return reply.reactor();
}

absl::StatusOr<Quote> TripService::MakeQuote(const rpc::Caller& rider,
                                             const v1::QuoteTripRequest& request) {
  const auto market = options_.markets.find(request.market());
  if (market == options_.markets.end()) {
    return absl::NotFoundError(fmt::format("market '{}' isn't served here", request.market()));
  }
  const absl::StatusOr<Way> way =
      market->second->FindWay(FromProto(request.pickup()), FromProto(request.dropoff()));
  if (!way.ok()) return way.status();
  Quote quote{QuoteId(ids_.Next('q')), options_.clock.Now() + options_.quote_lifetime, {}};
  quote.trip.set_market(request.market());
  quote.trip.mutable_passenger()->set_rider_id(rider.id);
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

grpc::ServerUnaryReactor* TripService::RequestTrip(grpc::CallbackServerContext* context,
                                                   const v1::RequestTripRequest* request,
                                                   v1::RequestTripResponse* response) {
  const absl::StatusOr<rpc::Caller> rider = RequireRider(*context);
  if (!rider.ok()) return Refuse(context, rider.status());
  absl::StatusOr<Command> command = ToCommand(*rider, TripId(ids_.Next('t')), *request);
  if (command.ok()) {
    std::get<RequestCommand>(*command).x_request_id = rpc::RequestIdOrNew(*context);
  }
  return Submit(context, std::move(command), response);
}

grpc::ServerUnaryReactor* TripService::CancelTrip(grpc::CallbackServerContext* context,
                                                  const v1::CancelTripRequest* request,
                                                  v1::CancelTripResponse* response) {
  const absl::StatusOr<rpc::Caller> caller = RequireRiderOrService(*context);
  if (!caller.ok()) return Refuse(context, caller.status());
  return Submit(context, ToCommand(*caller, *request), response);
}

grpc::ServerUnaryReactor* TripService::ChangeDestination(
    grpc::CallbackServerContext* context, const v1::ChangeDestinationRequest* request,
    v1::ChangeDestinationResponse* response) {
  const absl::StatusOr<rpc::Caller> rider = RequireRider(*context);
  if (!rider.ok()) return Refuse(context, rider.status());
  absl::StatusOr<ChangeDestinationCommand> command = ToCommand(*rider, *request);
  if (!command.ok()) return Refuse(context, command.status());
  const UnaryReply reply(context);
  const bool runs =
      routers_.TryRun([this, reply, rider = *rider, command = *std::move(command), response] {
        // Pick-up and tariff of a trip never change, so that the fare may be made beforehand.
        absl::StatusOr<v1::Fare> fare = FareForChange(command, rider, reply.deadline());
        if (!fare.ok()) return reply.Finish(fare.status());
        ChangeDestinationCommand with_fare = command;
        with_fare.fare = *std::move(fare);
        options_.store.Submit(
            std::move(with_fare),
            [reply, response](const absl::StatusOr<TripPtr>& trip) {
              if (trip.ok()) *response->mutable_trip() = **trip;
              reply.Finish(trip.status());
            },
            reply.deadline());
      });
  if (!runs) reply.Finish(UnaryReply::TooBusy());
  return reply.reactor();
}

absl::StatusOr<v1::Fare> TripService::FareForChange(const ChangeDestinationCommand& command,
                                                    const rpc::Caller& rider,
                                                    TripStore::Deadline deadline) const {
  const absl::StatusOr<v1::Trip> trip = ReadTripFor(rider, command.trip_id, deadline);
  if (!trip.ok()) return trip.status();
  const auto market = options_.markets.find(trip->market());
  if (market == options_.markets.end()) {
    return absl::FailedPreconditionError(fmt::format(
        "market '{}' of trip {} isn't served here any more", trip->market(), command.trip_id));
  }
  const absl::StatusOr<Way> way =
      market->second->FindWay(FromProto(trip->pickup()), command.dropoff);
  if (!way.ok()) return way.status();
  return MakeFare(trip->fare().tariff(), way->length_m, way->duration);
}

// -- Reads
// --------------------------------------------------------------------------------------------

absl::StatusOr<v1::Trip> TripService::ReadTripFor(const rpc::Caller& caller, const TripId& trip_id,
                                                  TripStore::Deadline deadline) const {
  absl::StatusOr<v1::Trip> trip = options_.store.GetTrip(trip_id, deadline);
  if (trip.ok() && caller.kind != rpc::CallerKind::kService &&
      trip->passenger().rider_id() != caller.id) {
    return absl::PermissionDeniedError(fmt::format("trip {} is another rider's", trip_id));
  }
  return trip;
}

grpc::ServerUnaryReactor* TripService::GetTrip(grpc::CallbackServerContext* context,
                                               const v1::GetTripRequest* request,
                                               v1::GetTripResponse* response) {
  const absl::StatusOr<rpc::Caller> caller = RequireRiderOrService(*context);
  if (!caller.ok()) return Refuse(context, caller.status());
  if (absl::Status status = ValidateId(request->trip_id(), "trip_id"); !status.ok()) {
    return Refuse(context, status);
  }
  const UnaryReply reply(context);
  reply.RunOn(readers_, [this, reply, caller = *caller, request, response] {
    absl::StatusOr<v1::Trip> trip =
        ReadTripFor(caller, TripId(request->trip_id()), reply.deadline());
    if (!trip.ok()) return trip.status();
    *response->mutable_trip() = *std::move(trip);
    return absl::OkStatus();
  });
  return reply.reactor();
}

grpc::ServerUnaryReactor* TripService::ListTrips(grpc::CallbackServerContext* context,
                                                 const v1::ListTripsRequest* request,
                                                 v1::ListTripsResponse* response) {
  const absl::StatusOr<rpc::Caller> caller = RequireRiderOrService(*context);
  if (!caller.ok()) return Refuse(context, caller.status());
  if (absl::Status status = CheckRequest(*request); !status.ok()) return Refuse(context, status);
  TripFilter filter{RiderId(request->rider_id()), MarketId(request->market())};
  if (caller->kind == rpc::CallerKind::kRider) {
    if (filter.rider.empty()) filter.rider = RiderId(caller->id);
    if (filter.rider.str() != caller->id) {
      return Refuse(context, absl::PermissionDeniedError(fmt::format(
                                 "rider_id: rider {} may list only their own trips", caller->id)));
    }
  }
  std::uint64_t before = 0;
  if (!request->page_token().empty()) {
    const absl::StatusOr<std::uint64_t> parsed = ParsePageToken(filter, request->page_token());
    if (!parsed.ok()) return Refuse(context, parsed.status());
    before = *parsed;
  }
  const UnaryReply reply(context);
  reply.RunOn(readers_, [this, reply, filter, before, request, response] {
    const size_t limit = request->page_size() == 0 ? kDefaultPageSize : request->page_size();
    absl::StatusOr<TripPage> page =
        options_.store.ListTrips(filter, before, limit, reply.deadline());
    if (!page.ok()) return page.status();
    for (v1::Trip& trip : page->trips) *response->add_trips() = std::move(trip);
    if (page->next_before != 0) {
      response->set_next_page_token(MakePageToken(filter, page->next_before));
    }
    return absl::OkStatus();
  });
  return reply.reactor();
}

grpc::ServerWriteReactor<v1::WatchTripResponse>* TripService::WatchTrip(
    grpc::CallbackServerContext* context, const v1::WatchTripRequest* request) {
  const absl::StatusOr<rpc::Caller> caller = RequireRiderOrService(*context);
  if (!caller.ok()) return RefuseStream<v1::WatchTripResponse>(caller.status());
  absl::Status status = ValidateId(request->trip_id(), "trip_id");
  if (!status.ok()) return RefuseStream<v1::WatchTripResponse>(status);
  const auto watcher = TripWatcher::Make(
      TripId(request->trip_id()), [this](TripWatcher* ended) { options_.feed.Remove(ended); });
  // Listens before it reads, so that no change falls in between.
  if (status = options_.feed.Add(watcher); !status.ok()) {
    watcher->Close(status);
    return watcher->stream();
  }
  const bool runs = readers_.TryRun([this, watcher, caller = *caller] {
    absl::StatusOr<v1::Trip> trip = ReadTripFor(caller, watcher->trip_id(), TripStore::kNoDeadline);
    if (!trip.ok()) return watcher->Close(trip.status());
    watcher->Begin(*trip);
  });
  if (!runs) watcher->Close(absl::UnavailableError("too many calls wait; watch again"));
  return watcher->stream();
}

// -- For services
// -------------------------------------------------------------------------------------

grpc::ServerWriteReactor<v1::FollowTripsResponse>* TripService::FollowTrips(
    grpc::CallbackServerContext* context, const v1::FollowTripsRequest* request) {
  absl::Status status = RequireService(*context);
  if (status.ok()) status = CheckRequest(*request);
  for (int i = 0; status.ok() && i < request->markets_size(); ++i) {
    if (options_.markets.contains(request->markets(i))) continue;
    status = absl::InvalidArgumentError(
        fmt::format("markets[{}]: market '{}' isn't served here", i, request->markets(i)));
  }
  if (!status.ok()) return RefuseStream<v1::FollowTripsResponse>(status);
  const auto follower =
      LogFollower::Make({.store = options_.store,
                         .tail = options_.feed.tail(),
                         .readers = readers_,
                         .markets = {request->markets().begin(), request->markets().end()},
                         .on_done = [this](LogFollower* ended) { options_.feed.Remove(ended); }});
  if (status = options_.feed.Add(follower); !status.ok()) {
    follower->Close(status);
  } else if (request->start_case() == v1::FollowTripsRequest::kOldestOpen) {
    follower->BeginAtOldestOpen();
  } else {
    follower->BeginAfter(request->after_sequence());
  }
  return follower->stream();
}

grpc::ServerUnaryReactor* TripService::AssignTrip(grpc::CallbackServerContext* context,
                                                  const v1::AssignTripRequest* request,
                                                  v1::AssignTripResponse* response) {
  return SubmitForService(context, *request, response);
}

grpc::ServerUnaryReactor* TripService::AdvanceTrip(grpc::CallbackServerContext* context,
                                                   const v1::AdvanceTripRequest* request,
                                                   v1::AdvanceTripResponse* response) {
  return SubmitForService(context, *request, response);
}

grpc::ServerUnaryReactor* TripService::ReleaseTrip(grpc::CallbackServerContext* context,
                                                   const v1::ReleaseTripRequest* request,
                                                   v1::ReleaseTripResponse* response) {
  return SubmitForService(context, *request, response);
}

grpc::ServerUnaryReactor* TripService::GiveUpTrip(grpc::CallbackServerContext* context,
                                                  const v1::GiveUpTripRequest* request,
                                                  v1::GiveUpTripResponse* response) {
  return SubmitForService(context, *request, response);
}

grpc::ServerUnaryReactor* TripService::ReportDriverLost(grpc::CallbackServerContext* context,
                                                        const v1::ReportDriverLostRequest* request,
                                                        v1::ReportDriverLostResponse* response) {
  return SubmitForService(context, *request, response);
}

grpc::ServerUnaryReactor* TripService::ReportSurge(grpc::CallbackServerContext* context,
                                                   const v1::ReportSurgeRequest* request,
                                                   v1::ReportSurgeResponse*) {
  absl::Status status = RequireService(*context);
  if (status.ok()) status = ValidateId(request->market(), "market");
  if (status.ok() && !options_.markets.contains(request->market())) {
    status = absl::NotFoundError(fmt::format("market '{}' isn't served here", request->market()));
  }
  if (status.ok()) status = ValidateSurge(*request);
  if (status.ok()) {
    const Time now = options_.clock.Now();
    options_.surge.Replace(*request, now);
    if (options_.exchange != nullptr) options_.exchange->Share(*request, now);
  }
  const UnaryReply reply(context);
  reply.Finish(std::move(status));
  return reply.reactor();
}

grpc::ServerReadReactor<grpc::ByteBuffer>* TripService::ReportProgress(
    grpc::CallbackServerContext* context, grpc::ByteBuffer* response) {
  const auto reader = ProgressReader::Make(
      {.response = response,
       .on_report =
           [this](const v1::ReportProgressRequest& report) {
             options_.feed.Report(report);
             if (options_.exchange != nullptr) options_.exchange->Share(report);
           },
       .on_done = [this](ProgressReader* ended) { options_.feed.Remove(ended); }});
  absl::Status status = RequireService(*context);
  if (status.ok()) status = options_.feed.Add(reader);
  if (status.ok()) {
    reader->Begin();
  } else {
    reader->Close(status);
  }
  return reader.get();
}

}  // namespace ridestream::trip
