#pragma once

#include <string>

#include "libs/base/clock.h"
#include "libs/proto_values/proto_values.h"
#include "services/trip/domain/commands.h"
#include "services/trip/domain/fare.h"
#include "services/trip/domain/promise.h"

/// Trips, quotes and commands for tests: valid ones, named after their numbers.
namespace ridestream::trip::testing {

inline constexpr char kMarket[] = "city";

inline v1::Tariff SampleTariff() {
  v1::Tariff tariff;
  tariff.set_currency_code("USD");
  tariff.set_base_minor(250);
  tariff.set_per_km_minor(175);
  tariff.set_per_minute_minor(35);
  tariff.set_shared_discount_percent(25);
  tariff.set_no_show_fee_minor(500);
  tariff.mutable_no_show_after()->set_seconds(300);
  return tariff;
}

inline common::v1::Driver SampleDriver(const std::string& id) {
  common::v1::Driver driver;
  driver.set_driver_id(id);
  driver.set_name("Ada");
  driver.mutable_vehicle()->set_model("Toyota Prius, silver");
  driver.mutable_vehicle()->set_plate("T123456C");
  return driver;
}

inline Quote SampleQuote(const std::string& id, const std::string& rider, Time expires_at,
                         std::uint32_t party_size = 1, const std::string& market = kMarket) {
  Quote quote{QuoteId(id), expires_at, {}};
  quote.trip.set_market(market);
  quote.trip.mutable_passenger()->set_rider_id(rider);
  quote.trip.mutable_passenger()->set_party_size(party_size);
  *quote.trip.mutable_pickup() = ToProto(LatLng{407'000'000, -739'000'000});
  *quote.trip.mutable_dropoff() = ToProto(LatLng{407'100'000, -739'100'000});
  *quote.trip.mutable_fare() = MakeFare(SampleTariff(), 4'000, std::chrono::minutes(10));
  return quote;
}

inline Quote SampleSharedQuote(const std::string& id, const std::string& rider, Time expires_at,
                               std::uint32_t party_size = 1) {
  Quote quote = SampleQuote(id, rider, expires_at, party_size);
  *quote.trip.mutable_fare() =
      MakeFare(SampleTariff(), 4'000, std::chrono::minutes(10), /*shared=*/true);
  *quote.trip.mutable_promise() = MakePromise({}, std::chrono::minutes(10));
  return quote;
}

inline RequestCommand SampleRequest(const std::string& trip, const std::string& rider,
                                    const std::string& quote) {
  return {TripId(trip), RiderId(rider), "request-" + trip, QuoteId(quote), "Grace", "blue coat"};
}

inline CancelCommand SampleCancel(const std::string& trip, const std::string& rider) {
  return {TripId(trip), RiderId(rider), v1::CANCEL_REASON_CHANGED_MIND, "sorry", "cancel-" + trip};
}

inline AssignCommand SampleAssign(const std::string& trip, const std::string& driver,
                                  const std::string& offer, std::uint32_t seats = 4) {
  return {TripId(trip), OfferId(offer), SampleDriver(driver), seats};
}

inline AdvanceCommand SampleAdvance(const std::string& trip, const std::string& driver,
                                    v1::TripState to) {
  return {TripId(trip), DriverId(driver), to};
}

inline ChangeDestinationCommand SampleChange(const std::string& trip, const std::string& rider,
                                             const std::string& request_id, LatLng dropoff) {
  return {TripId(trip), RiderId(rider), request_id, dropoff,
          MakeFare(SampleTariff(), 9'000, std::chrono::minutes(20))};
}

}  // namespace ridestream::trip::testing
