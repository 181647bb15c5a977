#include "services/dispatch/domain/offers/offers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <variant>
#include <vector>

namespace ridestream::dispatch {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Time kNow = ScaledClock::kAnchor;

trip::v1::Trip MakeTrip(const std::string& id) {
  trip::v1::Trip trip;
  trip.set_trip_id(id);
  trip.set_version(1);
  trip.set_state(trip::v1::TRIP_STATE_REQUESTED);
  return trip;
}

class OffersTest : public ::testing::Test {
 protected:
  void Connect(const std::string& driver) {
    Step step(kNow);
    DriverConnected connected{
        .driver = DriverId(driver), .epoch = 1, .resumed = false, .hello = {}};
    connected.hello.set_seats(4);
    fleet_.Connect(connected, nullptr, step);
  }
  /// Also connects the driver.
  OpenOffer& Make(const std::string& trip, const std::string& driver) {
    Connect(driver);
    Step step(kNow);
    trips_.Record(MakeTrip(trip));
    offers_.Make(MakeTrip(trip), {DriverId(driver), LatLng{}, seconds(60)}, step);
    pushes_ = PushesOf(step);
    return *offers_.OfTrip(TripId(trip));
  }
  void End(const OpenOffer& offer, v1::OfferOutcome outcome) {
    Step step(kNow);
    offers_.End(offer, outcome, step);
    pushes_ = PushesOf(step);
  }
  OpenOffer* Answer(const std::string& driver, const std::string& offer) {
    Step step(kNow);
    v1::OfferAnswer answer;
    answer.set_offer_id(offer);
    answer.set_accept(true);
    OpenOffer* taken = offers_.FindForAnswer(DriverId(driver), answer, trips_, step);
    pushes_ = PushesOf(step);
    return taken;
  }
  std::vector<v1::OfferOutcome> PushedOutcomes() const {
    std::vector<v1::OfferOutcome> outcomes;
    for (const v1::DriveResponse& push : pushes_) {
      if (push.has_offer_ended()) outcomes.push_back(push.offer_ended().outcome());
    }
    return outcomes;
  }
  static std::vector<v1::DriveResponse> PushesOf(Step& step) {
    std::vector<v1::DriveResponse> pushes;
    for (const Decision& decision : step.TakeDecisions()) {
      if (const Push* push = std::get_if<Push>(&decision)) pushes.push_back(push->message);
    }
    return pushes;
  }

  Timers timers_;
  TripBook trips_;
  Fleet fleet_{seconds(30), {}, timers_};
  Offers offers_{{seconds(15), milliseconds(500), "m-7."}, fleet_, timers_};
  /// Pushes of the last call.
  std::vector<v1::DriveResponse> pushes_;
};

TEST_F(OffersTest, FindsAnOfferByItsIdDriverAndTripUntilItEnds) {
  OpenOffer& offer = Make("t", "d");
  const OfferId id = offer.id;
  EXPECT_EQ(offers_.Find(id), &offer);
  EXPECT_EQ(offers_.OfDriver(DriverId("d")), &offer);
  EXPECT_EQ(offers_.OfTrip(TripId("t")), &offer);
  EXPECT_EQ(offers_.OfDriver(DriverId("other")), nullptr);
  EXPECT_EQ(offer.trip, TripId("t"));

  End(offer, v1::OFFER_OUTCOME_DECLINED);
  EXPECT_EQ(offers_.Find(id), nullptr);
  EXPECT_EQ(offers_.OfDriver(DriverId("d")), nullptr);
  EXPECT_EQ(offers_.OfTrip(TripId("t")), nullptr);
}

TEST_F(OffersTest, IdsBearThePrefixAndNeverRepeat) {
  EXPECT_EQ(offers_.NextId(), OfferId("m-7.1"));
  EXPECT_EQ(Make("t", "d").id, OfferId("m-7.2"));
  EXPECT_EQ(offers_.NextId(), OfferId("m-7.3"));
}

TEST_F(OffersTest, OffersStayWhereTheyAreWhileOthersComeAndGo) {
  OpenOffer* const offer = &Make("t", "d");
  const OfferId first = offer->id;
  for (int i = 0; i < 1'000; ++i) {
    const std::string number = std::to_string(i);
    const OpenOffer& other = Make("t" + number, "d" + number);
    if (i % 2 == 0) End(other, v1::OFFER_OUTCOME_WITHDRAWN);
  }
  EXPECT_EQ(offers_.OfDriver(DriverId("d")), offer);
  EXPECT_EQ(offer->id, first);
}

TEST_F(OffersTest, MakesTheDriverBusyAndSetsTheLeaseTimer) {
  const OpenOffer& offer = Make("t", "d");
  ASSERT_EQ(pushes_.size(), 1u);
  EXPECT_EQ(pushes_[0].offer().offer_id(), offer.id.str());
  EXPECT_EQ(pushes_[0].offer().pickup_eta_s(), 60u);
  EXPECT_FALSE(fleet_.Find(DriverId("d"))->IsFree(1));
  EXPECT_EQ(timers_.Next(), kNow + seconds(15) + milliseconds(500));
  // On the server's clock an answer is late from the lease's end on; the grace is the wire's.
  EXPECT_NE(offers_.AnswerableBy(DriverId("d"), kNow + seconds(15) - Duration(1)), nullptr);
  EXPECT_EQ(offers_.AnswerableBy(DriverId("d"), kNow + seconds(15)), nullptr);
}

TEST_F(OffersTest, AnAcceptedOfferHasNoLeaseAndTakesNoSecondAnswer) {
  OpenOffer& offer = Make("t", "d");
  ASSERT_EQ(Answer("d", offer.id.str()), &offer);
  offers_.Accept(offer);
  EXPECT_EQ(timers_.Next(), std::nullopt);
  EXPECT_EQ(offers_.AnswerableBy(DriverId("d"), kNow), nullptr);
  EXPECT_EQ(Answer("d", offer.id.str()), nullptr);
  EXPECT_THAT(pushes_, IsEmpty());

  End(offer, v1::OFFER_OUTCOME_ACCEPTED);
  EXPECT_THAT(PushedOutcomes(), ElementsAre(v1::OFFER_OUTCOME_ACCEPTED));
  EXPECT_TRUE(fleet_.Find(DriverId("d"))->IsFree(1));
}

TEST_F(OffersTest, AnswerToAnEndedOfferGetsItsOutcomeUntilTheSessionIsDropped) {
  OpenOffer& offer = Make("t", "d");
  const std::string id = offer.id.str();
  End(offer, v1::OFFER_OUTCOME_EXPIRED);
  EXPECT_EQ(Answer("d", id), nullptr);
  EXPECT_THAT(PushedOutcomes(), ElementsAre(v1::OFFER_OUTCOME_EXPIRED));
  offers_.SessionDropped(DriverId("d"));
  Answer("d", id);
  EXPECT_THAT(PushedOutcomes(), ElementsAre(v1::OFFER_OUTCOME_WITHDRAWN));
}

TEST_F(OffersTest, AnotherDriversAnswerIsRejected) {
  const OpenOffer& offer = Make("t", "d");
  Connect("other");
  EXPECT_EQ(Answer("other", offer.id.str()), nullptr);
  ASSERT_EQ(pushes_.size(), 1u);
  EXPECT_EQ(pushes_[0].rejected().code(), v1::REJECTION_CODE_PERMISSION_DENIED);
}

TEST_F(OffersTest, AcceptanceFollowsTheDriversAnswers) {
  const DriverId driver("d");
  EXPECT_DOUBLE_EQ(offers_.AcceptanceOf(driver), 0.85);
  End(Make("t-1", "d"), v1::OFFER_OUTCOME_DECLINED);
  EXPECT_DOUBLE_EQ(offers_.AcceptanceOf(driver), 8.5 / 11);
  End(Make("t-2", "d"), v1::OFFER_OUTCOME_ACCEPTED);
  EXPECT_DOUBLE_EQ(offers_.AcceptanceOf(driver), 9.5 / 12);
  // The rider's doing.
  End(Make("t-3", "d"), v1::OFFER_OUTCOME_RIDER_CANCELLED);
  EXPECT_DOUBLE_EQ(offers_.AcceptanceOf(driver), 9.5 / 12);
  offers_.SessionDropped(driver);
  EXPECT_DOUBLE_EQ(offers_.AcceptanceOf(driver), 9.5 / 12);
  offers_.DriverGone(driver);
  EXPECT_DOUBLE_EQ(offers_.AcceptanceOf(driver), 0.85);
}

}  // namespace
}  // namespace ridestream::dispatch
