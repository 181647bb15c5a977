// One user story per test, on the three real services as separate processes.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "libs/process/local_services.h"
#include "libs/roads/streets.h"
#include "libs/roads/testing/test_town.h"
#include "libs/rpc/development_security.h"
#include "libs/testing/sanitizers.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_folder.h"
#include "tests/e2e/test_driver.h"
#include "tests/e2e/test_rider.h"

namespace ridestream::e2e {
namespace {

using namespace dispatch::v1;  // NOLINT: the vocabulary of every line below.
using ::testing::ElementsAre;
using trip::v1::TripState;

/// Flags of dispatch for stories that wait until a driver is lost.
const std::vector<std::string> kSoonLost{fmt::format("--suspect_after={}s", testing::kSlowdown),
                                         fmt::format("--lost_after={}s", testing::kSlowdown)};

class StoriesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Start();
    streets_ = *roads::Streets::Load("city:1");
    std::mt19937_64 random(7);
    for (LatLng& place : places_) place = roads::RandomPointOnStreet(streets_->graph(), random);
  }

  void Start(std::vector<std::string> more_dispatch_flags = {},
             const std::vector<std::string>& trip_flags = {}) {
    const char* bin = std::getenv("RIDESTREAM_BIN");
    ASSERT_NE(bin, nullptr) << "run by ctest, or set RIDESTREAM_BIN to the folder of the binaries";
    std::vector<std::string> flags = std::move(more_dispatch_flags);
    flags.push_back("--match_every=200ms");
    system_.reset();
    auto system = process::LocalServices::Start(
        {.bin = bin, .trip_flags = trip_flags, .dispatch_flags = std::move(flags)});
    ASSERT_THAT(system, testing::IsOk());
    ASSERT_THAT(rpc::UseDevelopmentAuthority((*system)->authority()), testing::IsOk());
    system_ = *std::move(system);
  }

  std::unique_ptr<TestDriver> Driver(const std::string& id, double north_of_pickup_m) {
    return std::make_unique<TestDriver>(system_->dispatch(), id,
                                        OffsetBy(places_[0], north_of_pickup_m, 0));
  }
  std::unique_ptr<TestRider> Rider(const std::string& id) {
    return std::make_unique<TestRider>(system_->trip(), id);
  }
  trip::v1::Trip RequestRide(TestRider& rider) {
    return rider.Request(rider.Quote(places_[0], places_[1]), "first");
  }

  std::unique_ptr<process::LocalServices> system_;
  std::unique_ptr<roads::Streets> streets_;
  LatLng places_[3];
};

TEST_F(StoriesTest, ARideFromRequestToReceipt) {
  const auto driver = Driver("d-1", 100);
  const auto rider = Rider("r-1");
  const auto quote = rider->Quote(places_[0], places_[1]);
  EXPECT_GT(quote.fare().total().amount_minor(), 0);
  const auto trip = rider->Request(quote, "first");
  EXPECT_EQ(trip.state(), trip::v1::TRIP_STATE_REQUESTED);
  // A watch begins with the current state, which must not be a later one here.
  rider->WaitFor(trip::v1::TRIP_STATE_REQUESTED);

  const Offer offer = driver->WaitForOffer();
  EXPECT_EQ(offer.trip_id(), trip.trip_id());
  EXPECT_EQ(offer.fare().amount_minor(), quote.fare().total().amount_minor());
  driver->Answer(offer, true);
  EXPECT_EQ(driver->WaitForOfferEnded().outcome(), OFFER_OUTCOME_ACCEPTED);
  const Plan plan = driver->WaitForPlan(PLAN_CAUSE_RIDER_ADDED);
  ASSERT_EQ(plan.stops_size(), 2);
  EXPECT_EQ(plan.stops(0).passenger().name(), "Rider r-1");
  EXPECT_EQ(plan.stops(0).passenger().note(), "blue coat");
  EXPECT_GT(plan.route().lat_e7_size(), 2) << "the way along the streets";
  EXPECT_EQ(rider->WaitFor(trip::v1::TRIP_STATE_ASSIGNED).driver().name(), "Driver d-1");

  driver->Do(trip.trip_id(), STOP_ACTION_ARRIVED);
  EXPECT_TRUE(driver->WaitForPlan(PLAN_CAUSE_STOP_DONE).stops(0).arrived());
  rider->WaitFor(trip::v1::TRIP_STATE_ARRIVED);
  driver->Do(trip.trip_id(), STOP_ACTION_PICKED_UP);
  const Plan aboard = driver->WaitForPlan(PLAN_CAUSE_STOP_DONE);
  ASSERT_EQ(aboard.stops_size(), 1);
  EXPECT_EQ(aboard.route_id(), plan.route_id());
  EXPECT_FALSE(aboard.has_route()) << "an unchanged route is not sent again";
  rider->WaitFor(trip::v1::TRIP_STATE_ABOARD);
  driver->Do(trip.trip_id(), STOP_ACTION_DROPPED_OFF);
  EXPECT_EQ(driver->WaitForPlan(PLAN_CAUSE_STOP_DONE).stops_size(), 0);

  const auto receipt = rider->WaitFor(trip::v1::TRIP_STATE_COMPLETED);
  EXPECT_EQ(receipt.fare().total().amount_minor(), quote.fare().total().amount_minor());
  EXPECT_THAT(rider->states(),
              ElementsAre(trip::v1::TRIP_STATE_REQUESTED, trip::v1::TRIP_STATE_ASSIGNED,
                          trip::v1::TRIP_STATE_ARRIVED, trip::v1::TRIP_STATE_ABOARD,
                          trip::v1::TRIP_STATE_COMPLETED));
}

TEST_F(StoriesTest, RideAcrossTheAntimeridianCostsTheSameAsElsewhere) {
  const testing::TempFolder folder;
  std::int64_t amount_minor = 0;
  for (const std::int64_t shift_e7 : {300'000'000, 0}) {
    SCOPED_TRACE(shift_e7);
    const roads::TestTown town(roads::ShiftedEast(roads::kTaveuni, shift_e7));
    const std::string map = folder.File(fmt::format("town{}.osm.pbf", shift_e7));
    ASSERT_THAT(roads::WriteOsmFile(town.map(), map), testing::IsOk());
    const std::string market = "--markets=city=" + map;
    Start({market}, {market});
    places_[0] = town.At(1, 0.4);
    places_[1] = town.At(-2, -2.5);
    TestDriver driver(system_->dispatch(), "d-1", town.At(-1, -0.6));
    const auto rider = Rider("r-1");
    const auto quote = rider->Quote(places_[0], places_[1]);
    const auto total = quote.fare().total().amount_minor();
    EXPECT_GT(total, 0);
    if (amount_minor == 0) amount_minor = total;
    EXPECT_EQ(total, amount_minor);
    const auto trip = rider->Request(quote, "first");
    const Offer offer = driver.WaitForOffer();
    EXPECT_EQ(offer.trip_id(), trip.trip_id());
    driver.AcceptAndFinish(offer);
    EXPECT_EQ(rider->WaitFor(trip::v1::TRIP_STATE_COMPLETED).fare().total().amount_minor(), total);
  }
}

TEST_F(StoriesTest, ADeclineGoesToTheNextDriver) {
  const auto near = Driver("near", 50);
  const auto far = Driver("far", 900);
  const auto rider = Rider("r-1");
  RequestRide(*rider);
  const Offer first = near->WaitForOffer();
  near->Answer(first, false);
  EXPECT_EQ(near->WaitForOfferEnded().outcome(), OFFER_OUTCOME_DECLINED);
  far->AcceptAndFinish(far->WaitForOffer());
  EXPECT_EQ(rider->WaitFor(trip::v1::TRIP_STATE_COMPLETED).driver().driver_id(), "far");
}

TEST_F(StoriesTest, TheRiderCancelsAnOffer) {
  const auto driver = Driver("d-1", 100);
  const auto rider = Rider("r-1");
  RequestRide(*rider);
  const Offer offer = driver->WaitForOffer();
  EXPECT_EQ(rider->Cancel().state(), trip::v1::TRIP_STATE_CANCELLED);
  EXPECT_EQ(driver->WaitForOfferEnded().outcome(), OFFER_OUTCOME_RIDER_CANCELLED);
  // The driver is free for the next rider.
  const auto next = Rider("r-2");
  RequestRide(*next);
  driver->AcceptAndFinish(driver->WaitForOffer());
  next->WaitFor(trip::v1::TRIP_STATE_COMPLETED);
}

TEST_F(StoriesTest, TheRiderCancelsADriverOnTheWay) {
  const auto driver = Driver("d-1", 100);
  const auto rider = Rider("r-1");
  RequestRide(*rider);
  driver->Answer(driver->WaitForOffer(), true);
  driver->WaitForPlan(PLAN_CAUSE_RIDER_ADDED);
  rider->Cancel();
  EXPECT_EQ(driver->WaitForPlan(PLAN_CAUSE_RIDER_CANCELLED).stops_size(), 0);
}

TEST_F(StoriesTest, ALostDriversTripGoesToAnother) {
  Start(kSoonLost);
  const auto lost = Driver("lost", 50);
  const auto rider = Rider("r-1");
  RequestRide(*rider);
  lost->Answer(lost->WaitForOffer(), true);
  lost->WaitForPlan(PLAN_CAUSE_RIDER_ADDED);
  rider->WaitFor(trip::v1::TRIP_STATE_ASSIGNED);
  lost->Cut();
  rider->WaitFor(trip::v1::DRIVER_STATUS_SUSPECT);
  rider->WaitFor(trip::v1::TRIP_STATE_REQUESTED);
  const auto other = Driver("other", 900);
  other->AcceptAndFinish(other->WaitForOffer());
  EXPECT_EQ(rider->WaitFor(trip::v1::TRIP_STATE_COMPLETED).driver().driver_id(), "other");
  // The lost driver comes back to an empty plan.
  EXPECT_TRUE(lost->Connect().resumed());
  EXPECT_EQ(lost->WaitForPlan(PLAN_CAUSE_REASSIGNED).stops_size(), 0);
}

TEST_F(StoriesTest, ATripGivenUpIsNotOfferedToTheSameDriverAgain) {
  const auto driver = Driver("d-1", 50);
  const auto rider = Rider("r-1");
  const auto trip = RequestRide(*rider);
  driver->Answer(driver->WaitForOffer(), true);
  driver->WaitForPlan(PLAN_CAUSE_RIDER_ADDED);
  driver->GiveUp(trip.trip_id());
  EXPECT_EQ(driver->WaitForPlan(PLAN_CAUSE_REASSIGNED).stops_size(), 0);
  const auto other = Driver("d-2", 900);
  other->AcceptAndFinish(other->WaitForOffer());
  EXPECT_THAT(rider->WaitFor(trip::v1::TRIP_STATE_COMPLETED).released_driver_ids(),
              ElementsAre("d-1"));
}

TEST_F(StoriesTest, ARiderWhoDoesNotComeIsSentNoSecondCar) {
  const auto driver = Driver("d-1", 50);
  const auto rider = Rider("r-1");
  const auto trip = RequestRide(*rider);
  driver->Answer(driver->WaitForOffer(), true);
  driver->WaitForPlan(PLAN_CAUSE_RIDER_ADDED);
  driver->Do(trip.trip_id(), STOP_ACTION_ARRIVED);
  rider->WaitFor(trip::v1::TRIP_STATE_ARRIVED);
  driver->GiveUp(trip.trip_id());
  const auto ended = rider->WaitFor(trip::v1::TRIP_STATE_CANCELLED);
  EXPECT_EQ(ended.cancellation().by_driver_id(), "d-1");
  EXPECT_EQ(ended.cancellation().reason(), trip::v1::CANCEL_REASON_NO_SHOW);
  EXPECT_FALSE(ended.cancellation().has_fee()) << "the driver hasn't waited for long";
  EXPECT_EQ(driver->WaitForPlan(PLAN_CAUSE_RIDER_CANCELLED).stops_size(), 0);
}

TEST_F(StoriesTest, ARiderAboardLeavesALostDriverAndRequestsAgain) {
  Start(kSoonLost);
  const auto lost = Driver("lost", 50);
  const auto rider = Rider("r-1");
  const auto trip = RequestRide(*rider);
  lost->Answer(lost->WaitForOffer(), true);
  lost->WaitForPlan(PLAN_CAUSE_RIDER_ADDED);
  lost->Do(trip.trip_id(), STOP_ACTION_ARRIVED);
  lost->Do(trip.trip_id(), STOP_ACTION_PICKED_UP);
  rider->WaitFor(trip::v1::TRIP_STATE_ABOARD);
  lost->Cut();
  rider->WaitForLostDriver();
  EXPECT_EQ(rider->Cancel().state(), trip::v1::TRIP_STATE_CANCELLED);
  const auto other = Driver("other", 900);
  const auto again = rider->Request(rider->Quote(places_[0], places_[1]), "second");
  EXPECT_NE(again.trip_id(), trip.trip_id());
  EXPECT_EQ(other->WaitForOffer().trip_id(), again.trip_id());
}

TEST_F(StoriesTest, AnImpossiblyFastRideIsRecordedAsImplausible) {
  const auto driver = Driver("d-1", 600);
  const auto rider = Rider("r-1");
  RequestRide(*rider);
  driver->AcceptAndFinish(driver->WaitForOffer());
  const trip::v1::Trip trip = rider->WaitFor(trip::v1::TRIP_STATE_COMPLETED);
  ASSERT_GE(trip.implausible_steps_size(), 2);
  EXPECT_EQ(trip.implausible_steps(0).to(), trip::v1::TRIP_STATE_ARRIVED);
  EXPECT_EQ(trip.implausible_steps(0).plausibility(), trip::v1::STEP_PLAUSIBILITY_FAR_FROM_STOP);
  EXPECT_EQ(trip.implausible_steps(0).driver_id(), "d-1");
  EXPECT_NEAR(trip.implausible_steps(0).distance_m(), 600, 100);
  EXPECT_EQ(trip.implausible_steps(1).to(), trip::v1::TRIP_STATE_ABOARD);
}

TEST_F(StoriesTest, AnImplausibleStepIsRefusedWhenConfigured) {
  Start({"--implausible_steps=refuse"});
  const auto driver = Driver("d-1", 600);
  const auto rider = Rider("r-1");
  const auto trip = RequestRide(*rider);
  driver->Answer(driver->WaitForOffer(), true);
  driver->WaitForPlan(PLAN_CAUSE_RIDER_ADDED);
  driver->Do(trip.trip_id(), STOP_ACTION_ARRIVED);
  const Rejected rejected = driver->WaitForRejected();
  EXPECT_EQ(rejected.stop_update().action(), STOP_ACTION_ARRIVED);
  EXPECT_EQ(rejected.code(), dispatch::v1::REJECTION_CODE_FAILED_PRECONDITION);
}

TEST_F(StoriesTest, TheDestinationChangesUnderWay) {
  const auto driver = Driver("d-1", 100);
  const auto rider = Rider("r-1");
  const auto trip = RequestRide(*rider);
  driver->Answer(driver->WaitForOffer(), true);
  const Plan first = driver->WaitForPlan(PLAN_CAUSE_RIDER_ADDED);
  driver->Do(trip.trip_id(), STOP_ACTION_ARRIVED);
  driver->Do(trip.trip_id(), STOP_ACTION_PICKED_UP);
  rider->WaitFor(trip::v1::TRIP_STATE_ABOARD);

  const auto changed = rider->ChangeDestination(places_[2]);
  const Plan plan = driver->WaitForPlan(PLAN_CAUSE_DESTINATION_CHANGED);
  ASSERT_EQ(plan.stops_size(), 1);
  EXPECT_EQ(plan.stops(0).place().lat_e7(), places_[2].lat_e7);
  EXPECT_NE(plan.route_id(), first.route_id());
  EXPECT_TRUE(plan.has_route());
  driver->Do(trip.trip_id(), STOP_ACTION_DROPPED_OFF);
  const auto receipt = rider->WaitFor(trip::v1::TRIP_STATE_COMPLETED);
  EXPECT_EQ(receipt.fare().total().amount_minor(), changed.fare().total().amount_minor());
  EXPECT_EQ(receipt.fare().total().amount_minor(),
            rider->Quote(places_[0], places_[2]).fare().total().amount_minor());
}

TEST_F(StoriesTest, TheSameRequestTwiceIsOneTrip) {
  const auto rider = Rider("r-1");
  const auto quote = rider->Quote(places_[0], places_[1]);
  const auto trip = rider->Request(quote, "first");
  EXPECT_EQ(rider->Request(quote, "first").trip_id(), trip.trip_id());
  const auto driver = Driver("d-1", 100);
  driver->AcceptAndFinish(driver->WaitForOffer());
  rider->WaitFor(trip::v1::TRIP_STATE_COMPLETED);
  EXPECT_EQ(rider->Request(quote, "first").state(), trip::v1::TRIP_STATE_COMPLETED)
      << "even after its end it is the same trip";
}

TEST_F(StoriesTest, ACutStreamResumesWithNothingLost) {
  const auto driver = Driver("d-1", 100);
  const auto rider = Rider("r-1");
  const auto trip = RequestRide(*rider);
  const Offer offer = driver->WaitForOffer();
  driver->Cut();
  EXPECT_TRUE(driver->Connect().resumed());
  driver->Answer(offer, true);
  driver->WaitForPlan(PLAN_CAUSE_RIDER_ADDED);
  driver->Do(trip.trip_id(), STOP_ACTION_ARRIVED);
  rider->WaitFor(trip::v1::TRIP_STATE_ARRIVED);
  driver->Cut();
  // While the driver is away, the passenger's destination changes.
  rider->ChangeDestination(places_[2]);
  const Welcome welcome = driver->Connect();
  EXPECT_TRUE(welcome.resumed());
  // Sent only once, in the snapshot, since dispatch knew the change when the driver came back.
  Plan plan = welcome.snapshot().plan();
  ASSERT_EQ(plan.stops_size(), 2);
  if (plan.stops(1).place().lat_e7() != places_[2].lat_e7) {
    plan = driver->WaitForPlan(PLAN_CAUSE_DESTINATION_CHANGED);
    ASSERT_EQ(plan.stops_size(), 2);
  }
  EXPECT_EQ(plan.stops(1).place().lat_e7(), places_[2].lat_e7);
  driver->Do(trip.trip_id(), STOP_ACTION_PICKED_UP);
  rider->WaitFor(trip::v1::TRIP_STATE_ABOARD);
  driver->Do(trip.trip_id(), STOP_ACTION_DROPPED_OFF);
  rider->WaitFor(trip::v1::TRIP_STATE_COMPLETED);
  driver->WaitForPlan(PLAN_CAUSE_STOP_DONE);

  const auto sequences = driver->sequences();
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    EXPECT_EQ(sequences[i], i + 1) << "pushes come in order, once, without a hole";
  }
}

}  // namespace
}  // namespace ridestream::e2e
