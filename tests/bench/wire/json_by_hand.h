#pragma once

#include <google/protobuf/util/time_util.h>

#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/status.h"
#include "tests/bench/wire/application.h"

/// The same JSON as protobuf's, with each field mapped by hand, as is done without a schema. 64-bit
/// integers are strings there. Numbers of other types are read without a check of their range.
namespace ridestream::bench::wire::by_hand {

using Json = nlohmann::json;
using google::protobuf::util::TimeUtil;

inline Json Place(const common::v1::LatLng& place) {
  return {{"latE7", place.lat_e7()}, {"lngE7", place.lng_e7()}};
}
inline void ReadPlace(const Json& json, common::v1::LatLng& place) {
  place.set_lat_e7(json.at("latE7"));
  place.set_lng_e7(json.at("lngE7"));
}
inline Json Price(const common::v1::Money& money) {
  return {{"currencyCode", money.currency_code()},
          {"amountMinor", std::to_string(money.amount_minor())}};
}
inline std::int64_t Int64(const Json& json) {
  return std::stoll(json.get_ref<const std::string&>());
}
inline std::uint64_t Uint64(const Json& json) {
  return std::stoull(json.get_ref<const std::string&>());
}
inline void ReadPrice(const Json& json, common::v1::Money& money) {
  money.set_currency_code(json.at("currencyCode"));
  money.set_amount_minor(Int64(json.at("amountMinor")));
}
inline void ReadTime(const Json& json, google::protobuf::Timestamp& time) {
  if (!TimeUtil::FromString(json.get_ref<const std::string&>(), &time)) {
    throw std::invalid_argument("not a time");
  }
}

inline std::string ToJson(const Position& position) {
  return Json{{"sequence", std::to_string(position.sequence())},
              {"latE7", position.lat_e7()},
              {"lngE7", position.lng_e7()},
              {"headingDeg", position.heading_deg()},
              {"speedDmPerS", position.speed_dm_per_s()},
              {"deviceTimeMs", std::to_string(position.device_time_ms())}}
      .dump();
}
inline void Read(const Json& json, Position& position) {
  position.set_sequence(Uint64(json.at("sequence")));
  position.set_lat_e7(json.at("latE7"));
  position.set_lng_e7(json.at("lngE7"));
  position.set_heading_deg(json.at("headingDeg"));
  position.set_speed_dm_per_s(json.at("speedDmPerS"));
  position.set_device_time_ms(Uint64(json.at("deviceTimeMs")));
}

inline std::string ToJson(const Ack& ack) {
  return Json{{"sequence", std::to_string(ack.sequence())}}.dump();
}
inline void Read(const Json& json, Ack& ack) { ack.set_sequence(Uint64(json.at("sequence"))); }

inline std::string ToJson(const QuoteTripRequest& request) {
  return Json{{"market", request.market()},
              {"pickup", Place(request.pickup())},
              {"dropoff", Place(request.dropoff())},
              {"partySize", request.party_size()}}
      .dump();
}
inline void Read(const Json& json, QuoteTripRequest& request) {
  request.set_market(json.at("market"));
  ReadPlace(json.at("pickup"), *request.mutable_pickup());
  ReadPlace(json.at("dropoff"), *request.mutable_dropoff());
  request.set_party_size(json.at("partySize"));
}

inline std::string ToJson(const QuoteTripResponse& response) {
  const trip::v1::Fare& fare = response.fare();
  return Json{{"quoteId", response.quote_id()},
              {"fare",
               {{"distancePartMinor", std::to_string(fare.distance_part_minor())},
                {"timePartMinor", std::to_string(fare.time_part_minor())},
                {"total", Price(fare.total())},
                {"lengthM", fare.length_m()},
                {"duration", TimeUtil::ToString(fare.duration())}}},
              {"expiresAt", TimeUtil::ToString(response.expires_at())}}
      .dump();
}
inline void Read(const Json& json, QuoteTripResponse& response) {
  response.set_quote_id(json.at("quoteId"));
  const Json& fare = json.at("fare");
  response.mutable_fare()->set_distance_part_minor(Int64(fare.at("distancePartMinor")));
  response.mutable_fare()->set_time_part_minor(Int64(fare.at("timePartMinor")));
  ReadPrice(fare.at("total"), *response.mutable_fare()->mutable_total());
  response.mutable_fare()->set_length_m(fare.at("lengthM"));
  if (!TimeUtil::FromString(fare.at("duration").get_ref<const std::string&>(),
                            response.mutable_fare()->mutable_duration())) {
    throw std::invalid_argument("not a duration");
  }
  ReadTime(json.at("expiresAt"), *response.mutable_expires_at());
}

inline std::string ToJson(const DriveResponse& response) {
  if (!response.has_offer()) return "{}";
  const dispatch::v1::Offer& offer = response.offer();
  return Json{{"sequence", std::to_string(response.sequence())},
              {"offer",
               {{"offerId", offer.offer_id()},
                {"tripId", offer.trip_id()},
                {"pickup", Place(offer.pickup())},
                {"dropoff", Place(offer.dropoff())},
                {"partySize", offer.party_size()},
                {"fare", Price(offer.fare())},
                {"pickupEtaS", offer.pickup_eta_s()},
                {"tripLengthM", offer.trip_length_m()},
                {"tripDurationS", offer.trip_duration_s()},
                {"expiresAt", TimeUtil::ToString(offer.expires_at())},
                {"decidedAt", TimeUtil::ToString(offer.decided_at())},
                {"driverId", offer.driver_id()}}}}
      .dump();
}
inline void Read(const Json& json, DriveResponse& response) {
  if (json.empty()) return;
  response.set_sequence(Uint64(json.at("sequence")));
  const Json& offer = json.at("offer");
  auto& read = *response.mutable_offer();
  read.set_offer_id(offer.at("offerId"));
  read.set_trip_id(offer.at("tripId"));
  ReadPlace(offer.at("pickup"), *read.mutable_pickup());
  ReadPlace(offer.at("dropoff"), *read.mutable_dropoff());
  read.set_party_size(offer.at("partySize"));
  ReadPrice(offer.at("fare"), *read.mutable_fare());
  read.set_pickup_eta_s(offer.at("pickupEtaS"));
  read.set_trip_length_m(offer.at("tripLengthM"));
  read.set_trip_duration_s(offer.at("tripDurationS"));
  ReadTime(offer.at("expiresAt"), *read.mutable_expires_at());
  ReadTime(offer.at("decidedAt"), *read.mutable_decided_at());
  read.set_driver_id(offer.at("driverId"));
}

template <class Message>
absl::Status FromJson(const std::string& json, Message& message) {
  try {
    Read(Json::parse(json), message);
  } catch (const std::exception& error) {  // Of the library, and of std::stoll.
    return absl::InvalidArgumentError(error.what());
  }
  return absl::OkStatus();
}

}  // namespace ridestream::bench::wire::by_hand
