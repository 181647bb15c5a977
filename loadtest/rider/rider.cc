#include "loadtest/rider/rider.h"

#include <fmt/format.h>

#include "libs/proto_values/proto_values.h"
#include "libs/rpc/caller.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/market.h"
#include "libs/rpc/status.h"
#include "libs/tracing/trace_context.h"
#include "loadtest/base/first_names.h"
#include "loadtest/base/wall.h"

namespace ridestream::loadtest {

namespace pb = ::ridestream::trip::v1;
using Async = pb::TripService::StubInterface::async_interface;

namespace {

// Wall time, as the proto says.
constexpr std::chrono::seconds kQuoteTimeout(2);
constexpr std::chrono::seconds kCommandTimeout(5);

template <class Response>
absl::StatusOr<pb::Trip> TripOf(const grpc::Status& status, const Response& response) {
  if (!status.ok()) return rpc::FromGrpcStatus(status);
  return response.trip();
}

}  // namespace

Rider::Rider(const RiderWorld& world, const std::shared_ptr<grpc::Channel>& channel,
             Request request, RiderBehaviour behaviour, OnDone on_done, std::string traceparent)
    : world_(world),
      stub_(pb::TripService::NewStub(channel)),
      request_(request),
      on_done_(std::move(on_done)),
      traceparent_(std::move(traceparent)),
      behaviour_(std::move(behaviour)) {}

void Rider::Leave() {
  Handle([](RiderBehaviour& behaviour, Time now) { behaviour.Leave(now); });
}

void Rider::Stop() {
  {
    MutexLock lock(mu_);
    stopped_ = true;
    if (watch_ != nullptr) watch_->Cancel();
  }
  Handle([](RiderBehaviour&, Time) {});
}

RiderOutcome Rider::outcome() const {
  MutexLock lock(mu_);
  return behaviour_.outcome();
}

RiderHistory Rider::history() const {
  MutexLock lock(mu_);
  return behaviour_.history();
}

void Rider::OnTimer() {
  {
    // A timer may outlive the rider's world.
    MutexLock lock(mu_);
    if (done_reported_) return;
  }
  Handle([](RiderBehaviour&, Time) {});
}

void Rider::Handle(const Event& event) {
  bool done = false;
  {
    MutexLock lock(mu_);
    const Time now = world_.clock->Now();
    if (now >= armed_at_) armed_at_ = Time::max();
    const pb::TripState state_before = behaviour_.state();
    const RiderOutcome outcome_before = behaviour_.outcome();
    event(behaviour_, now);
    if (!stopped_) Act(now);
    Count(state_before, outcome_before);
    const bool idle = calls_ == 0 && watch_ == nullptr;
    if (behaviour_.done() && watch_ != nullptr) watch_->Cancel();
    done = idle && (stopped_ || behaviour_.done()) && !std::exchange(done_reported_, true);
  }
  if (done) on_done_(*this);
}

void Rider::Act(Time now) {
  RiderBehaviour::Actions actions;
  behaviour_.OnTime(now, actions);
  world_.tally.calls_retried += static_cast<std::uint64_t>(actions.retried);
  if (actions.quote) Quote();
  if (actions.request) RequestTrip();
  if (actions.cancel) CancelTrip(*actions.cancel);
  if (actions.change_destination) ChangeDestination();
  if (actions.watch) {
    const RiderHistory& history = behaviour_.history();
    watch_ = TripWatch::Open(*stub_, world_.market, history.id.str(), history.trip_id.str(),
                             shared_from_this());
  }
  const Time wake = behaviour_.wake_at();
  if (wake >= armed_at_) return;
  armed_at_ = wake;
  world_.timers.After(world_.clock->ToWall(wake - now),
                      [rider = shared_from_this()] { rider->OnTimer(); });
}

void Rider::Count(pb::TripState state_before, RiderOutcome outcome_before) {
  Tally& tally = world_.tally;
  const RiderHistory& history = behaviour_.history();
  const pb::TripState state = behaviour_.state();
  if (state != state_before) {
    if (state_before != pb::TRIP_STATE_UNSPECIFIED)
      --tally.trips_by_state[static_cast<size_t>(state_before)];
    ++tally.trips_by_state[static_cast<size_t>(state)];
  }
  tally.destination_changes +=
      history.destination_changes - std::exchange(changes_counted_, history.destination_changes);
  if (!history.trip_id.empty() && !std::exchange(trip_known_, true)) {
    if (const auto latency =
            world_.first_offers.OnRequested(history.trip_id, behaviour_.wish().due)) {
      tally.request_to_offer.Add(ToWall(*world_.clock, *latency));
    }
  }
  if (behaviour_.waited() && !std::exchange(wait_counted_, true)) {
    tally.wait.Add(*behaviour_.waited());
  }
  if (behaviour_.outcome() == outcome_before) return;
  switch (behaviour_.outcome()) {
    case RiderOutcome::kCompleted:
      ++tally.completed;
      break;
    case RiderOutcome::kCancelled:
      ++tally.cancelled;
      break;
    case RiderOutcome::kUnserved:
      ++tally.unserved;
      break;
    case RiderOutcome::kRefused:
      ++tally.refused;
      break;
    case RiderOutcome::kUnanswered:
      ++tally.unanswered;
      break;
    case RiderOutcome::kOpen:
      break;
  }
}

template <class Request, class Response>
void Rider::Call(
    Method<Request, Response> method, Request request, std::chrono::milliseconds timeout,
    std::function<void(RiderBehaviour&, const grpc::Status&, const Response&, Time)> on_answer,
    const std::string& traceparent) {
  struct UnaryCall {
    grpc::ClientContext context;
    Request request;
    Response response;
  };
  const auto call = std::make_shared<UnaryCall>();
  call->request = std::move(request);
  rpc::SetCaller(call->context, {rpc::CallerKind::kRider, behaviour_.history().id.str()});
  rpc::SetMarket(call->context, world_.market);
  rpc::SetTimeout(call->context, timeout);
  if (!traceparent.empty()) call->context.AddMetadata(tracing::kTraceParentKey, traceparent);
  ++calls_;
  Async& async = *stub_->async();
  (async.*method)(&call->context, &call->request, &call->response,
                  [rider = shared_from_this(), call,
                   on_answer = std::move(on_answer)](const grpc::Status& status) {
                    {
                      MutexLock lock(rider->mu_);
                      --rider->calls_;
                    }
                    rider->Handle([&](RiderBehaviour& behaviour, Time now) {
                      on_answer(behaviour, status, call->response, now);
                    });
                  });
}

void Rider::Quote() {
  pb::QuoteTripRequest request;
  request.set_market(world_.market);
  *request.mutable_pickup() = ToProto(request_.pickup);
  *request.mutable_dropoff() = ToProto(request_.dropoff);
  request.set_party_size(request_.party_size);
  request.set_shared(behaviour_.shares());
  Call<pb::QuoteTripRequest, pb::QuoteTripResponse>(
      &Async::QuoteTrip, std::move(request), kQuoteTimeout,
      [](RiderBehaviour& behaviour, const grpc::Status& status,
         const pb::QuoteTripResponse& response, Time now) {
        if (status.ok()) {
          behaviour.OnQuote(response, now);
        } else {
          behaviour.OnQuote(rpc::FromGrpcStatus(status), now);
        }
      });
}

void Rider::RequestTrip() {
  const std::string& id = behaviour_.history().id.str();
  pb::RequestTripRequest request;
  request.set_request_id(fmt::format("{}-request", id));
  request.set_quote_id(behaviour_.quote_id());
  request.set_rider_name(std::string(FirstName(std::hash<std::string>()(id))));
  request.set_note("at the corner");
  Call<pb::RequestTripRequest, pb::RequestTripResponse>(
      &Async::RequestTrip, std::move(request), kCommandTimeout,
      [](RiderBehaviour& behaviour, const grpc::Status& status,
         const pb::RequestTripResponse& response,
         Time now) { behaviour.OnRequest(TripOf(status, response), now); },
      traceparent_);
}

void Rider::CancelTrip(pb::CancelReason reason) {
  pb::CancelTripRequest request;
  request.set_request_id(fmt::format("{}-cancel", behaviour_.history().id.str()));
  request.set_trip_id(behaviour_.history().trip_id.str());
  request.set_reason(reason);
  Call<pb::CancelTripRequest, pb::CancelTripResponse>(
      &Async::CancelTrip, std::move(request), kCommandTimeout,
      [](RiderBehaviour& behaviour, const grpc::Status& status,
         const pb::CancelTripResponse& response,
         Time now) { behaviour.OnCancel(TripOf(status, response), now); });
}

void Rider::ChangeDestination() {
  pb::ChangeDestinationRequest request;
  request.set_request_id(fmt::format("{}-change", behaviour_.history().id.str()));
  request.set_trip_id(behaviour_.history().trip_id.str());
  *request.mutable_dropoff() = ToProto(behaviour_.wish().other_destination);
  Call<pb::ChangeDestinationRequest, pb::ChangeDestinationResponse>(
      &Async::ChangeDestination, std::move(request), kCommandTimeout,
      [](RiderBehaviour& behaviour, const grpc::Status& status,
         const pb::ChangeDestinationResponse& response,
         Time now) { behaviour.OnChangeDestination(TripOf(status, response), now); });
}

void Rider::OnWatch(const pb::WatchTripResponse& response) {
  if (!response.has_trip()) return;
  Handle([&](RiderBehaviour& behaviour, Time now) {
    if (response.has_progress()) behaviour.OnProgress(response.progress());
    behaviour.OnWatch(response.trip(), now);
  });
}

void Rider::OnWatchEnded() {
  {
    MutexLock lock(mu_);
    watch_.reset();
  }
  Handle([](RiderBehaviour& behaviour, Time now) { behaviour.OnWatchEnded(now); });
}

}  // namespace ridestream::loadtest
