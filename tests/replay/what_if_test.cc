#include "tests/replay/what_if.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <tuple>

#include "libs/proto_values/proto_values.h"
#include "libs/testing/status_matchers.h"

namespace ridestream::replay {
namespace {

using std::chrono::seconds;
using testing::IsOk;
using testing::StatusIs;

TEST(ChangeTest, SetsFlagsOfDispatch) {
  dispatch::MarketConfig config;
  ASSERT_THAT(
      Change({"matching=nearest", "sharing=off", "match_every=2s", "offer_lease=20s", "max_wait=3m",
              "price_hold=0", "unmatched_cost=1m", "search_radius_m=1000", "max_radius_m=3000"},
             config),
      IsOk());
  EXPECT_EQ(config.matching, dispatch::MatchingMethod::kNearestByTime);
  EXPECT_EQ(config.sharing.mode, dispatch::SharingMode::kOff);
  EXPECT_EQ(config.match_every, seconds(2));
  EXPECT_EQ(config.offer_lease, seconds(20));
  EXPECT_EQ(config.max_wait, seconds(180));
  EXPECT_EQ(config.price_hold, seconds(0));
  EXPECT_EQ(config.matching_costs.unmatched, seconds(60));
  EXPECT_EQ(config.radius_m, 1'000u);
  EXPECT_EQ(config.max_radius_m, 3'000u);
}

TEST(ChangeTest, ReportsSettingsThatCannotBeChanged) {
  dispatch::MarketConfig config;
  for (const auto& [change, part] :
       {std::pair("colour=red", "one of match_every, matching, max_radius_m"),
        std::pair("matching", "must be FLAG=VALUE"),
        std::pair("matching=best", "not a value of dispatch's --matching"),
        std::pair("match_every=-1s", "not a value"), std::pair("match_every=soon", "not a value"),
        std::pair("search_radius_m=5", "not a value"),
        std::pair("max_radius_m=100", "at least search_radius_m")}) {
    EXPECT_THAT(Change({change}, config), StatusIs(absl::StatusCode::kInvalidArgument, part))
        << change;
    config = {};
  }
}

TEST(ParticipantsTest, AreTheRidersAndTheDriversWhereEachWasFirstSeen) {
  Participants participants;
  const Time begin = ScaledClock::kAnchor;
  dispatch::DriverConnected connected{DriverId("d-1"), 1, false, {}};
  connected.hello.set_seats(6);
  participants.Note(connected, begin);
  participants.Note(dispatch::FleetSurveyed{{{DriverId("d-1"), {1, 2}}}}, begin);
  participants.Note(dispatch::DriverMoved{DriverId("d-1"), {3, 4}}, begin);
  // A driver who is seen and never connected has no seats, and is left out.
  participants.Note(dispatch::DriverMoved{DriverId("d-2"), {5, 6}}, begin);
  for (const auto& [id, after, version] :
       {std::tuple("t-2", seconds(9), 1), std::tuple("t-1", seconds(12), 1),
        std::tuple("t-1", seconds(15), 2)}) {
    dispatch::TripLogged logged;
    trip::v1::Trip& trip = *logged.event.mutable_trip();
    trip.set_trip_id(id);
    trip.set_version(static_cast<std::uint64_t>(version));
    *trip.mutable_pickup() = ToProto(LatLng{7, 8});
    *trip.mutable_dropoff() = ToProto(LatLng{9, 10});
    trip.mutable_passenger()->set_party_size(2);
    participants.Note(logged, begin + after);
  }
  dispatch::OfferAnswered answer{DriverId("d-1"), {}};
  for (const bool accept : {true, true, true, false}) {
    answer.answer.set_accept(accept);
    participants.Note(answer, begin);
  }
  const bench::VirtualCityOptions city = participants.City({});
  EXPECT_EQ(city.fleet, (std::vector<loadtest::FleetPlace>{{{1, 2}, 6}}));
  EXPECT_EQ(city.requests, (std::vector<loadtest::Request>{{seconds(0), {7, 8}, {9, 10}, 2},
                                                           {seconds(3), {7, 8}, {9, 10}, 2}}));
  EXPECT_DOUBLE_EQ(city.offers.accept_probability, 0.75);
  EXPECT_DOUBLE_EQ(city.offers.decline_probability, 0.25);
  EXPECT_DOUBLE_EQ(city.shared_probability, 0);
}

}  // namespace
}  // namespace ridestream::replay
