#include "tests/bench/wire/application.h"

#include "google/protobuf/util/time_util.h"

namespace ridestream::bench::wire {
namespace {

using google::protobuf::util::TimeUtil;
using std::chrono::system_clock;

google::protobuf::Timestamp ToTimestamp(system_clock::time_point time) {
  return TimeUtil::NanosecondsToTimestamp(
      std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count());
}

void SetPlace(common::v1::LatLng& place, int lat_e7, int lng_e7) {
  place.set_lat_e7(lat_e7);
  place.set_lng_e7(lng_e7);
}

DriveResponse OfferOf(std::uint64_t sequence, system_clock::time_point decided_at) {
  DriveResponse response;
  response.set_sequence(sequence);
  auto& offer = *response.mutable_offer();
  offer.set_offer_id("o-2c4f7a90b1");
  offer.set_trip_id("t-8d03e65c42");
  SetPlace(*offer.mutable_pickup(), 407'580'000, -739'855'000);
  SetPlace(*offer.mutable_dropoff(), 407'061'000, -740'087'000);
  offer.set_party_size(2);
  offer.mutable_fare()->set_currency_code("USD");
  offer.mutable_fare()->set_amount_minor(1'841);
  offer.set_pickup_eta_s(214);
  offer.set_trip_length_m(6'512);
  offer.set_trip_duration_s(1'037);
  *offer.mutable_expires_at() = ToTimestamp(decided_at + std::chrono::seconds(15));
  *offer.mutable_decided_at() = ToTimestamp(decided_at);
  offer.set_driver_id("d-4711");
  return response;
}

}  // namespace

Application::Application(std::chrono::microseconds offer_every)
    : offer_every_(offer_every), start_(system_clock::now()) {}

Ack Application::TakePosition(const Position& position) {
  newest_position_ = position.sequence();
  Ack ack;
  ack.set_sequence(newest_position_);
  return ack;
}

QuoteTripResponse Application::Quote(const QuoteTripRequest& request) const {
  QuoteTripResponse response;
  response.set_quote_id("q-51f0c2ab77");
  auto& fare = *response.mutable_fare();
  fare.set_distance_part_minor(1'120);
  fare.set_time_part_minor(721);
  fare.mutable_total()->set_currency_code("USD");
  fare.mutable_total()->set_amount_minor(1'841 * std::max<std::int64_t>(1, request.party_size()));
  fare.set_length_m(6'512);
  *fare.mutable_duration() = TimeUtil::SecondsToDuration(1'037);
  *response.mutable_expires_at() = ToTimestamp(system_clock::now() + std::chrono::minutes(2));
  return response;
}

DriveResponse Application::MakeOffer(std::uint64_t sequence) {
  return OfferOf(sequence, system_clock::now());
}

DriveResponse Application::PollOffer(const Ack& ack) const {
  if (offer_every_.count() == 0) return MakeOffer(ack.sequence() + 1);
  const auto due = (system_clock::now() - start_) / offer_every_;
  if (static_cast<std::uint64_t>(due) <= ack.sequence()) return {};
  return OfferOf(static_cast<std::uint64_t>(due), start_ + due * offer_every_);
}

Position SamplePosition(std::uint64_t sequence) {
  Position position;
  position.set_sequence(sequence);
  position.set_lat_e7(407'580'123);
  position.set_lng_e7(-739'855'321);
  position.set_heading_deg(271);
  position.set_speed_dm_per_s(83);
  position.set_device_time_ms(1'764'400'000'123);
  return position;
}

QuoteTripRequest SampleQuoteRequest() {
  QuoteTripRequest request;
  request.set_market("manhattan");
  SetPlace(*request.mutable_pickup(), 407'580'000, -739'855'000);
  SetPlace(*request.mutable_dropoff(), 407'061'000, -740'087'000);
  request.set_party_size(2);
  return request;
}

}  // namespace ridestream::bench::wire
