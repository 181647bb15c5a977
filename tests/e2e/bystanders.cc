#include "tests/e2e/bystanders.h"

#include <gtest/gtest.h>

#include <chrono>
#include <random>

#include "libs/proto_values/proto_values.h"
#include "libs/roads/streets.h"
#include "libs/rpc/caller.h"
#include "libs/rpc/channel.h"
#include "libs/testing/status_matchers.h"
#include "tests/e2e/test_rider.h"

namespace ridestream::e2e {
LatLng Bystanders::AnyPlace() {
  const auto streets = roads::Streets::Load("city:1");
  EXPECT_THAT(streets, testing::IsOk());
  std::mt19937_64 random(7);
  return roads::RandomPointOnStreet((*streets)->graph(), random);
}

Bystanders::Bystanders(const process::LocalServices& system)
    : system_(system),
      place_(AnyPlace()),
      driver_(system.dispatch(), "d-1", place_),
      trip_(trip::v1::TripService::NewStub(rpc::MakeChannel(system.trip()))),
      location_(location::v1::LocationService::NewStub(rpc::MakeChannel(system.location()))) {
  for (grpc::ClientContext* context : {&follower_context_, &viewer_context_}) {
    rpc::SetCaller(*context, {rpc::CallerKind::kOperator, "bystander"});
    rpc::SetTimeout(*context, std::chrono::minutes(10));
  }
  trip::v1::FollowTripsRequest follow;
  follow.add_markets("city");
  follow.set_after_sequence(0);
  follower_ = trip_->FollowTrips(&follower_context_, follow);
  location::v1::WatchAreaRequest watch;
  watch.set_market("city");
  constexpr std::int32_t kHalfE7 = 10'000'000;
  *watch.mutable_south_west() = ToProto({place_.lat_e7 - kHalfE7, place_.lng_e7 - kHalfE7});
  *watch.mutable_north_east() = ToProto({place_.lat_e7 + kHalfE7, place_.lng_e7 + kHalfE7});
  watch.set_interval_ms(10'000);
  viewer_ = location_->WatchArea(&viewer_context_, watch);
}

Bystanders::~Bystanders() {
  follower_context_.TryCancel();
  viewer_context_.TryCancel();
}

void Bystanders::ExpectUntouched() {
  TestRider rider(system_.trip(), "r-1");
  const trip::v1::Trip trip =
      rider.Request(rider.Quote(place_, OffsetBy(place_, 700, 300)), "first");
  driver_.AcceptAndFinish(driver_.WaitForOffer());
  rider.WaitFor(trip::v1::TRIP_STATE_COMPLETED);
  trip::v1::FollowTripsResponse event;
  while (event.event().trip().state() != trip::v1::TRIP_STATE_COMPLETED) {
    ASSERT_TRUE(follower_->Read(&event)) << follower_->Finish().error_message();
  }
  EXPECT_EQ(event.event().trip().trip_id(), trip.trip_id());
  location::v1::WatchAreaResponse frame;
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(viewer_->Read(&frame)) << viewer_->Finish().error_message();
  }
}

}  // namespace ridestream::e2e
