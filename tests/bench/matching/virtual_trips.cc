#include "tests/bench/matching/virtual_trips.h"

#include <cmath>
#include <optional>
#include <utility>
#include <variant>

#include "libs/proto_values/proto_values.h"
#include "services/trip/domain/fare.h"

namespace ridestream::bench {
namespace {

constexpr std::size_t kMaxTrips = 10'000'000;

trip::v1::Tariff MakeTariff() {
  trip::v1::Tariff tariff;
  tariff.set_currency_code("USD");
  tariff.set_base_minor(250);
  tariff.set_per_km_minor(175);
  tariff.set_per_minute_minor(35);
  tariff.set_shared_discount_percent(25);
  return tariff;
}

struct ToCommand {
  trip::Command operator()(const trip::v1::AssignTripRequest& r) const {
    return trip::AssignCommand{TripId(r.trip_id()), OfferId(r.offer_id()), r.driver(), r.seats(),
                               DriverId(r.from_driver_id())};
  }
  trip::Command operator()(const trip::v1::AdvanceTripRequest& r) const {
    return trip::AdvanceCommand{TripId(r.trip_id()), DriverId(r.driver_id()), r.to()};
  }
  trip::Command operator()(const trip::v1::ReleaseTripRequest& r) const {
    return trip::ReleaseCommand{TripId(r.trip_id()), DriverId(r.driver_id()), r.reason(), r.note()};
  }
  trip::Command operator()(const trip::v1::GiveUpTripRequest& r) const {
    return trip::GiveUpCommand{TripId(r.trip_id())};
  }
  trip::Command operator()(const trip::v1::ReportDriverLostRequest& r) const {
    return trip::DriverLostCommand{TripId(r.trip_id()), DriverId(r.driver_id()), r.lost()};
  }
  trip::Command operator()(const trip::v1::CancelTripRequest& r) const {
    return trip::CancelCommand{TripId(r.trip_id()), {},        r.reason(), r.comment(),
                               r.request_id(),      "dispatch"};
  }
};

}  // namespace

VirtualTrips::VirtualTrips(std::string market, const roads::Router& router,
                           const trip::SharingTerms& terms, Listener listener)
    : market_(std::move(market)),
      router_(router),
      terms_(terms),
      store_(clock_, [listener = std::move(listener)](const std::vector<trip::EventPtr>& events) {
        for (const trip::EventPtr& event : events) listener(*event);
      }) {}

absl::Status VirtualTrips::Request(const std::string& id, const loadtest::Request& wish,
                                   bool shared) {
  const absl::StatusOr<roads::Route> way = router_.FindRoute(wish.pickup, wish.dropoff);
  if (!way.ok()) return way.status();
  const auto direct = std::chrono::round<std::chrono::milliseconds>(way->duration);
  trip::Quote quote{QuoteId("q-" + id), clock_.Now() + std::chrono::minutes(5), {}};
  quote.trip.set_market(market_);
  quote.trip.mutable_passenger()->set_rider_id("r-" + id);
  quote.trip.mutable_passenger()->set_party_size(wish.party_size);
  *quote.trip.mutable_pickup() = ToProto(wish.pickup);
  *quote.trip.mutable_dropoff() = ToProto(wish.dropoff);
  *quote.trip.mutable_fare() = trip::MakeFare(
      MakeTariff(), static_cast<std::uint32_t>(std::lround(way->length_m)), direct, shared);
  if (shared) *quote.trip.mutable_promise() = trip::MakePromise(terms_, direct);
  absl::Status status;
  store_.SaveQuote(std::move(quote), [&](absl::Status saved) { status = std::move(saved); });
  if (!status.ok()) return status;
  store_.Submit(trip::RequestCommand{TripId(id), RiderId("r-" + id), "request-" + id,
                                     QuoteId("q-" + id), "", ""},
                [&](const absl::StatusOr<trip::TripPtr>& trip) { status = trip.status(); });
  return status;
}

absl::StatusOr<trip::v1::Trip> VirtualTrips::Do(const dispatch::TripCommand& command) {
  absl::StatusOr<trip::v1::Trip> answer = absl::InternalError("unanswered");
  store_.Submit(std::visit(ToCommand(), command.request),
                [&](const absl::StatusOr<trip::TripPtr>& trip) {
                  if (trip.ok()) {
                    answer = **trip;
                  } else {
                    answer = trip.status();
                  }
                });
  return answer;
}

std::vector<trip::v1::Trip> VirtualTrips::All() const {
  return store_.ListTrips({}, 0, kMaxTrips)->trips;
}

Duration VirtualTrips::Direct(const trip::v1::Trip& trip) {
  return FromProto(trip.fare().duration());
}

}  // namespace ridestream::bench
