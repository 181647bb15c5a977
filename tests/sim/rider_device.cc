#include "tests/sim/rider_device.h"

#include <fmt/format.h>

#include <utility>

#include "libs/proto_values/proto_values.h"
#include "tests/sim/describe.h"

namespace ridestream::sim {

namespace trip_pb = ::ridestream::trip::v1;

RiderDevice::RiderDevice(Context& context, Host& trip_host, std::unique_ptr<TripProcess>& trip,
                         loadtest::RiderBehaviour::Wish wish, const Trip& wanted,
                         const loadtest::RiderHabits& habits, loadtest::Random random)
    : context_(context),
      trip_host_(trip_host),
      trip_(trip),
      id_(wish.id),
      wanted_(wanted),
      host_(wish.id.str()),
      behaviour_(std::move(wish), habits, random) {
  host_.ComeUp();
  Arm();
}

void RiderDevice::Act() {
  loadtest::RiderBehaviour::Actions actions;
  behaviour_.OnTime(context_.agenda.now(), actions);
  if (actions.quote) Quote();
  if (actions.request) Request();
  if (actions.cancel) Cancel(*actions.cancel);
  if (actions.change_destination) ChangeDestination();
  if (actions.watch) Watch();
  if (behaviour_.done() && watch_ != nullptr) {
    watch_->Abandon(Side::kClient);
    watch_.reset();
  }
  Arm();
}

void RiderDevice::Arm() {
  const Time wake = behaviour_.wake_at();
  if (wake >= armed_at_) return;
  armed_at_ = wake;
  context_.agenda.At(wake, host_.life(), [this, wake] {
    if (armed_at_ != wake) return;
    armed_at_ = Time::max();
    Act();
  });
}

template <class Response>
void RiderDevice::Start(const std::string& what,
                        std::function<void(TripProcess&, const RiderId&, Reply<Response>)> serve,
                        std::function<void(const absl::StatusOr<Response>&, Time)> on_answer) {
  ++calls_;
  Call<Response>::Start(
      context_, host_, trip_host_, {fmt::format("{}: {}", id_, what)},
      [&trip = trip_, id = id_, serve = std::move(serve)](Reply<Response> reply) {
        serve(*trip, id, std::move(reply));
      },
      [this, on_answer = std::move(on_answer)](const absl::StatusOr<Response>& answer) {
        --calls_;
        on_answer(answer, context_.agenda.now());
        Act();
      });
}

void RiderDevice::Quote() {
  trip_pb::QuoteTripRequest request;
  request.set_market(kMarket);
  *request.mutable_pickup() = ToProto(wanted_.pickup);
  *request.mutable_dropoff() = ToProto(wanted_.dropoff);
  request.set_party_size(wanted_.party_size);
  request.set_shared(behaviour_.shares());
  Start<trip_pb::QuoteTripResponse>(
      "quote",
      [request](TripProcess& trip, const RiderId& id, Reply<trip_pb::QuoteTripResponse> reply) {
        trip.QuoteTrip(id, request, std::move(reply));
      },
      [this](const auto& answer, Time now) { behaviour_.OnQuote(answer, now); });
}

void RiderDevice::Request() {
  trip_pb::RequestTripRequest request;
  request.set_request_id(fmt::format("{}-request", id_));
  request.set_quote_id(behaviour_.quote_id());
  request.set_rider_name(fmt::format("Rider {}", id_));
  Start<trip_pb::Trip>(
      "request",
      [request](TripProcess& trip, const RiderId& id, Reply<trip_pb::Trip> reply) {
        trip.RequestTrip(id, request, std::move(reply));
      },
      [this](const auto& answer, Time now) { behaviour_.OnRequest(answer, now); });
}

void RiderDevice::Cancel(trip_pb::CancelReason reason) {
  trip_pb::CancelTripRequest request;
  request.set_request_id(fmt::format("{}-cancel", id_));
  request.set_trip_id(behaviour_.history().trip_id.str());
  request.set_reason(reason);
  Start<trip_pb::Trip>(
      "cancel " + request.trip_id(),
      [request](TripProcess& trip, const RiderId& id, Reply<trip_pb::Trip> reply) {
        trip.CancelTrip(id, request, std::move(reply));
      },
      [this](const auto& answer, Time now) { behaviour_.OnCancel(answer, now); });
}

void RiderDevice::ChangeDestination() {
  trip_pb::ChangeDestinationRequest request;
  request.set_request_id(fmt::format("{}-change", id_));
  request.set_trip_id(behaviour_.history().trip_id.str());
  *request.mutable_dropoff() = ToProto(behaviour_.wish().other_destination);
  Start<trip_pb::Trip>(
      "change the destination of " + request.trip_id(),
      [request](TripProcess& trip, const RiderId& id, Reply<trip_pb::Trip> reply) {
        trip.ChangeDestination(id, request, std::move(reply));
      },
      [this](const auto& answer, Time now) { behaviour_.OnChangeDestination(answer, now); });
}

void RiderDevice::Watch() {
  watch_ = Link::Open(context_, host_, trip_host_, fmt::format("{}'s watch", id_));
  watch_->WhenClosed(Side::kClient,
                     [this, id = watch_->id()](const absl::Status&) { OnWatchEnded(id); });
  const auto deliver = [this, id = watch_->id()](const trip_pb::WatchTripResponse& seen) {
    if (watch_ == nullptr || watch_->id() != id) return;
    context_.trace.Line("{} sees {}{}", id_, Describe(seen.trip()),
                        seen.progress().promise_broken() ? ", which will be late" : "");
    behaviour_.OnWatch(seen.trip(), context_.agenda.now());
    if (seen.has_progress()) behaviour_.OnProgress(seen.progress());
    Act();
  };
  watch_->Send(Side::kServer,
               [&trip = trip_, link = watch_, id = id_, trip_id = behaviour_.history().trip_id,
                deliver] { trip->WatchTrip(link, id, trip_id, deliver); });
}

void RiderDevice::OnWatchEnded(std::uint64_t link) {
  if (watch_ == nullptr || watch_->id() != link) return;
  watch_.reset();
  behaviour_.OnWatchEnded(context_.agenda.now());
  Act();
}

}  // namespace ridestream::sim
