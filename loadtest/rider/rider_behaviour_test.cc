#include "loadtest/rider/rider_behaviour.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/proto_values/proto_values.h"
#include "loadtest/rider/first_offers.h"

namespace ridestream::loadtest {
namespace {

namespace pb = ::ridestream::trip::v1;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;

class RiderBehaviourTest : public ::testing::Test {
 protected:
  RiderBehaviourTest() {
    habits_.cancel_probability = 0;
    habits_.change_destination_probability = 0;
    habits_.repeat_request_probability = 0;
    due_ = now_ + seconds(10);
  }

  void Begin() {
    rider_.emplace(RiderBehaviour::Wish{RiderId("r-1"), due_, LatLng{1, 1}}, habits_, Random(1));
  }
  RiderBehaviour::Actions Tick(Duration time = {}) {
    now_ += time;
    RiderBehaviour::Actions actions;
    rider_->OnTime(now_, actions);
    return actions;
  }
  static pb::QuoteTripResponse Quote(std::int64_t minor) {
    pb::QuoteTripResponse quote;
    quote.set_quote_id("q-1");
    quote.mutable_fare()->mutable_total()->set_amount_minor(minor);
    return quote;
  }
  pb::Trip Trip(pb::TripState state, std::uint64_t version) const {
    pb::Trip trip;
    trip.set_trip_id("t-1");
    trip.set_state(state);
    trip.set_version(version);
    if (state == pb::TRIP_STATE_ARRIVED) *trip.mutable_arrived_at() = ToProto(now_);
    return trip;
  }
  // Runs until the trip waits for a driver and is watched.
  void RequestRide() {
    Begin();
    EXPECT_TRUE(Tick(seconds(10)).quote);
    rider_->OnQuote(Quote(500), now_);
    EXPECT_TRUE(Tick().request);
    rider_->OnRequest(Trip(pb::TRIP_STATE_REQUESTED, 1), now_);
    EXPECT_TRUE(Tick().watch);
  }

  RiderHabits habits_;
  Time now_ = ScaledClock::kAnchor;
  Time due_;
  std::optional<RiderBehaviour> rider_;
};

TEST_F(RiderBehaviourTest, RidesFromQuoteToTheEnd) {
  RequestRide();
  EXPECT_FALSE(rider_->waited());
  rider_->OnWatch(Trip(pb::TRIP_STATE_ASSIGNED, 2), now_);
  now_ += minutes(3);
  rider_->OnWatch(Trip(pb::TRIP_STATE_ARRIVED, 3), now_);
  EXPECT_EQ(rider_->waited(), Duration(minutes(3)));
  rider_->OnWatch(Trip(pb::TRIP_STATE_ABOARD, 4), now_);
  EXPECT_EQ(rider_->outcome(), RiderOutcome::kOpen);
  rider_->OnWatch(Trip(pb::TRIP_STATE_COMPLETED, 5), now_);
  rider_->OnWatchEnded(now_);
  EXPECT_EQ(rider_->outcome(), RiderOutcome::kCompleted);
  EXPECT_TRUE(rider_->done());
  EXPECT_EQ(rider_->wake_at(), Time::max());
  EXPECT_THAT(rider_->history().states,
              ElementsAre(pb::TRIP_STATE_REQUESTED, pb::TRIP_STATE_ASSIGNED, pb::TRIP_STATE_ARRIVED,
                          pb::TRIP_STATE_ABOARD, pb::TRIP_STATE_COMPLETED));
  EXPECT_EQ(rider_->history().quoted_minor, 500);
}

TEST_F(RiderBehaviourTest, LeavesTheCarOfALostDriver) {
  RequestRide();
  pb::Trip trip = Trip(pb::TRIP_STATE_ABOARD, 4);
  rider_->OnWatch(trip, now_);
  EXPECT_FALSE(Tick(minutes(1)).cancel);
  *trip.mutable_driver_lost_at() = ToProto(now_);
  trip.set_version(5);
  rider_->OnWatch(trip, now_);
  EXPECT_EQ(Tick(minutes(1)).cancel, pb::CANCEL_REASON_DRIVER_LOST);
}

TEST_F(RiderBehaviourTest, StaysWithADriverWhoWasHeardAgain) {
  RequestRide();
  pb::Trip trip = Trip(pb::TRIP_STATE_ABOARD, 4);
  *trip.mutable_driver_lost_at() = ToProto(now_);
  rider_->OnWatch(trip, now_);
  rider_->OnWatch(Trip(pb::TRIP_STATE_ABOARD, 5), now_);
  EXPECT_FALSE(Tick(minutes(1)).cancel);
}

TEST_F(RiderBehaviourTest, SendsNoRequestBeforeItIsDue) {
  Begin();
  EXPECT_FALSE(Tick(seconds(9)).quote);
  EXPECT_EQ(rider_->wake_at(), due_);
  EXPECT_TRUE(Tick(seconds(1)).quote);
  EXPECT_FALSE(Tick(seconds(1)).quote);  // Once.
}

TEST_F(RiderBehaviourTest, RetriesWhenUnavailableThenGivesUp) {
  Begin();
  int calls = 0, retried = 0;
  while (rider_->outcome() == RiderOutcome::kOpen) {
    now_ = std::max(now_, rider_->wake_at());
    const auto actions = Tick();
    ASSERT_TRUE(actions.quote);
    ++calls;
    retried += actions.retried;
    rider_->OnQuote(absl::UnavailableError("down"), now_);
  }
  EXPECT_EQ(rider_->outcome(), RiderOutcome::kUnanswered);
  EXPECT_GE(now_, due_ + habits_.answer_within);
  EXPECT_EQ(retried, calls - 1);
  EXPECT_GT(calls, 10);
  EXPECT_LT(calls, 60);  // It backs off.
  EXPECT_TRUE(rider_->done());
}

TEST_F(RiderBehaviourTest, CountsARefusalAsAResponse) {
  Begin();
  Tick(seconds(10));
  rider_->OnQuote(absl::InvalidArgumentError("off the streets"), now_);
  EXPECT_EQ(rider_->outcome(), RiderOutcome::kRefused);
  EXPECT_TRUE(rider_->history().refusal);
  EXPECT_TRUE(rider_->done());
}

TEST_F(RiderBehaviourTest, RepeatedRequestMustNameTheSameTrip) {
  habits_.repeat_request_probability = 1;
  RequestRide();
  // RequestRide() has already made the second request, together with the watch.
  rider_->OnRequest(Trip(pb::TRIP_STATE_REQUESTED, 1), now_);
  EXPECT_EQ(rider_->history().answers, 2u);
  EXPECT_EQ(rider_->history().other_trip_answers, 0u);
  pb::Trip other = Trip(pb::TRIP_STATE_REQUESTED, 1);
  other.set_trip_id("t-2");
  rider_->OnRequest(other, now_);
  EXPECT_EQ(rider_->history().other_trip_answers, 1u);
}

TEST_F(RiderBehaviourTest, CancelsWhileItWaits) {
  habits_.cancel_probability = 1;
  RequestRide();
  const auto actions = Tick(habits_.cancel_within);
  EXPECT_EQ(actions.cancel, pb::CANCEL_REASON_CHANGED_MIND);
  rider_->OnCancel(Trip(pb::TRIP_STATE_CANCELLED, 2), now_);
  EXPECT_EQ(rider_->outcome(), RiderOutcome::kCancelled);
  EXPECT_TRUE(rider_->history().cancelled);
}

TEST_F(RiderBehaviourTest, DoesNotCancelAboard) {
  habits_.cancel_probability = 1;
  RequestRide();
  rider_->OnWatch(Trip(pb::TRIP_STATE_ABOARD, 4), now_);
  EXPECT_FALSE(Tick(habits_.cancel_within).cancel);
  rider_->Leave(now_);
  EXPECT_FALSE(Tick().cancel);
}

TEST_F(RiderBehaviourTest, CancelsAfterWaitingTooLong) {
  RequestRide();
  EXPECT_FALSE(Tick(habits_.patience - seconds(1)).cancel);
  EXPECT_EQ(Tick(seconds(1)).cancel, pb::CANCEL_REASON_WAIT_TOO_LONG);
}

TEST_F(RiderBehaviourTest, LeavesWhenTheRunEnds) {
  RequestRide();
  rider_->Leave(now_);
  EXPECT_EQ(Tick().cancel, pb::CANCEL_REASON_OTHER);
}

TEST_F(RiderBehaviourTest, ChangeOfDestinationChangesTheFare) {
  habits_.change_destination_probability = 1;
  RequestRide();
  EXPECT_TRUE(Tick(habits_.change_within).change_destination);
  EXPECT_TRUE(rider_->history().fare_uncertain);
  rider_->OnChangeDestination(absl::UnavailableError("down"), now_);
  EXPECT_TRUE(rider_->history().fare_uncertain);
  EXPECT_TRUE(Tick(habits_.longest_backoff).change_destination);
  pb::Trip changed = Trip(pb::TRIP_STATE_REQUESTED, 2);
  changed.mutable_fare()->mutable_total()->set_amount_minor(900);
  rider_->OnChangeDestination(changed, now_);
  EXPECT_FALSE(rider_->history().fare_uncertain);
  EXPECT_EQ(rider_->history().fare_minor, 900);
  EXPECT_EQ(rider_->history().quoted_minor, 500);
  EXPECT_EQ(rider_->history().destination_changes, 1u);
}

TEST_F(RiderBehaviourTest, OpensABrokenWatchAgain) {
  RequestRide();
  rider_->OnWatchEnded(now_);
  EXPECT_TRUE(Tick(habits_.longest_backoff).watch);
}

TEST_F(RiderBehaviourTest, IgnoresOlderVersions) {
  RequestRide();
  rider_->OnWatch(Trip(pb::TRIP_STATE_ASSIGNED, 3), now_);
  rider_->OnWatch(Trip(pb::TRIP_STATE_REQUESTED, 2), now_);
  EXPECT_EQ(rider_->state(), pb::TRIP_STATE_ASSIGNED);
}

TEST(FirstOffersTest, ReportsTheTimeBetweenOnceInEitherOrder) {
  FirstOffers offers;
  const Time due = ScaledClock::kAnchor;
  EXPECT_EQ(offers.OnRequested(TripId("a"), due), std::nullopt);
  EXPECT_EQ(offers.OnOffer(TripId("a"), due + seconds(2)), Duration(seconds(2)));
  EXPECT_EQ(offers.OnOffer(TripId("a"), due + seconds(9)), std::nullopt);
  EXPECT_EQ(offers.OnOffer(TripId("b"), due + seconds(1)), std::nullopt);
  EXPECT_EQ(offers.OnRequested(TripId("b"), due), Duration(seconds(1)));
  EXPECT_EQ(offers.OnRequested(TripId("b"), due), std::nullopt);
}

}  // namespace
}  // namespace ridestream::loadtest
