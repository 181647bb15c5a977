#include "tests/sim/trip_process.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "libs/rpc/stale_term.h"

namespace ridestream::sim {
namespace {

using std::chrono::milliseconds;

// So small that a run sees followers fall behind the tail and read the store by pages.
constexpr std::size_t kTailEvents = 16;
constexpr std::size_t kPageEvents = 4;

trip::v1::Tariff Tariff() {
  trip::v1::Tariff tariff;
  tariff.set_currency_code("USD");
  tariff.set_base_minor(250);
  tariff.set_per_km_minor(175);
  tariff.set_per_minute_minor(35);
  tariff.set_shared_discount_percent(25);
  tariff.set_no_show_fee_minor(500);
  tariff.mutable_no_show_after()->set_seconds(20);
  return tariff;
}

trip::TripHandlers::Call By(const RiderId& rider) {
  return {.caller = {identity::Role::kRider, rider.str()}};
}

trip::TripHandlers::Call ByDispatch() { return {.caller = {identity::Role::kService, "dispatch"}}; }

}  // namespace

TripProcess::TripProcess(Context& context, Host& host, TripDisk& disk, RecordChecker& checker,
                         const trip::SharingTerms& sharing)
    : context_(context),
      host_(host),
      checker_(checker),
      feed_(kTailEvents),
      executor_(context, host.life(), {milliseconds(3)}, {milliseconds(3)}),
      store_(context, host, disk, executor_,
             [this](const std::vector<trip::EventPtr>& events) { feed_.Publish(events); }),
      handlers_({.store = store_,
                 .feed = feed_,
                 .surge = surge_,
                 .terms = terms_,
                 .clock = context.agenda.clock(),
                 .executor = executor_,
                 .markets = {{kMarket, &router_}},
                 .tariff = Tariff(),
                 .sharing = sharing,
                 .page_events = kPageEvents,
                 .random = std::mt19937_64(context.random.Below(UINT64_MAX))}) {}

trip::TripHandlers::TripReply TripProcess::Checked(TripReply reply) {
  return [this, reply = std::move(reply)](const absl::StatusOr<trip::TripPtr>& answer) {
    if (!answer.ok()) return reply(answer.status());
    checker_.OnSent(**answer);
    reply(**answer);
  };
}

void TripProcess::QuoteTrip(const RiderId& rider, const trip::v1::QuoteTripRequest& request,
                            Reply<trip::v1::QuoteTripResponse> reply) {
  handlers_.QuoteTrip(By(rider), request, std::move(reply));
}

void TripProcess::RequestTrip(const RiderId& rider, const trip::v1::RequestTripRequest& request,
                              TripReply reply) {
  handlers_.RequestTrip(By(rider), request, Checked(std::move(reply)));
}

void TripProcess::CancelTrip(const RiderId& rider, const trip::v1::CancelTripRequest& request,
                             TripReply reply) {
  handlers_.CancelTrip(By(rider), request, Checked(std::move(reply)));
}

void TripProcess::ChangeDestination(const RiderId& rider,
                                    const trip::v1::ChangeDestinationRequest& request,
                                    TripReply reply) {
  handlers_.ChangeDestination(By(rider), request, Checked(std::move(reply)));
}

void TripProcess::Carry(const dispatch::TripRequest& request, TripReply reply) {
  std::visit(
      [&](const auto& one) {
        using Request = std::decay_t<decltype(one)>;
        if constexpr (std::is_same_v<Request, trip::v1::CancelTripRequest>) {
          handlers_.CancelTrip(ByDispatch(), one, Checked(std::move(reply)));
        } else {
          handlers_.Carry(ByDispatch(), one, Checked(std::move(reply)));
        }
      },
      request);
}

void TripProcess::AcquireLease(const trip::v1::AcquireLeaseRequest& request,
                               Reply<trip::v1::AcquireLeaseResponse> reply) {
  handlers_.AcquireLease(ByDispatch(), request,
                         [this, reply = std::move(reply)](
                             const absl::StatusOr<trip::v1::AcquireLeaseResponse>& answer) {
                           if (answer.ok())
                             granted_term_ = std::max(granted_term_, answer->lease().term());
                           reply(answer);
                         });
}

void TripProcess::RenewLease(const trip::v1::RenewLeaseRequest& request,
                             Reply<trip::v1::RenewLeaseResponse> reply) {
  handlers_.RenewLease(ByDispatch(), request, std::move(reply));
}

void TripProcess::ReleaseLease(const trip::v1::ReleaseLeaseRequest& request,
                               Reply<trip::v1::ReleaseLeaseResponse> reply) {
  handlers_.ReleaseLease(ByDispatch(), request, std::move(reply));
}

void TripProcess::ReportSurge(const trip::v1::ReportSurgeRequest& request,
                              const Reply<trip::v1::ReportSurgeResponse>& reply) {
  const absl::Status status = handlers_.ReportSurge(request);
  if (status.ok() && request.term() < granted_term_) {
    context_.Violated(fmt::format("surge of term {} was accepted after term {} began",
                                  request.term(), granted_term_));
  }
  if (!status.ok() && !rpc::IsStaleTerm(status)) {
    context_.Violated("a reported surge was refused: " + status.ToString());
  }
  if (!status.ok()) return reply(status);
  reply(trip::v1::ReportSurgeResponse());
}

void TripProcess::FollowTrips(std::shared_ptr<Link> link,
                              const trip::v1::FollowTripsRequest& request,
                              Deliver<trip::v1::FollowTripsResponse> deliver) {
  const auto call = std::make_shared<ServerCall<trip::v1::FollowTripsResponse>>(
      context_, host_, calls_, std::move(link), std::move(deliver),
      [this](const trip::v1::FollowTripsResponse& message) {
        if (message.has_event()) checker_.OnSent(message.event().trip());
      });
  call->Begin(handlers_.FollowTrips(request, *call));
}

void TripProcess::WatchTrip(std::shared_ptr<Link> link, const RiderId& rider, const TripId& trip,
                            Deliver<trip::v1::WatchTripResponse> deliver) {
  trip::v1::WatchTripRequest request;
  request.set_trip_id(trip.str());
  const auto call = std::make_shared<ServerCall<trip::v1::WatchTripResponse>>(
      context_, host_, calls_, std::move(link), std::move(deliver),
      [this](const trip::v1::WatchTripResponse& message) { checker_.OnSent(message.trip()); });
  call->Begin(handlers_.WatchTrip(By(rider), request, *call));
}

Take<trip::v1::ReportProgressRequest> TripProcess::ReportProgress(std::shared_ptr<Link> link) {
  using Reporter =
      ServerReadCall<trip::v1::ReportProgressRequest, trip::v1::ReportProgressResponse>;
  const auto call = std::make_shared<Reporter>(context_, host_, calls_, std::move(link));
  call->Begin(handlers_.ReportProgress(*call));
  return [weak = std::weak_ptr(call)](const trip::v1::ReportProgressRequest& report) {
    if (const auto open = weak.lock()) open->OnMessage(report);
  };
}

}  // namespace ridestream::sim
