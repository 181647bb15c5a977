#include "loadtest/driver/driver_behaviour.h"

#include <algorithm>
#include <array>
#include <deque>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/proto_values/proto_values.h"

namespace ridestream::loadtest {
namespace {

namespace pb = ::ridestream::dispatch::v1;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr LatLng kHome{400'000'000, -740'000'000};

LatLng At(double east_m) { return OffsetBy(kHome, 0, east_m); }

class NoCruises final : public Cruises {
 public:
  Course Draw(LatLng, Random&) const override { return {}; }
  Course To(LatLng from, LatLng to) const override {
    return Course({from, to}, {static_cast<std::uint32_t>(DistanceM(from, to) * 100)});
  }
};

/// A driver, its clock, and dispatch's end of the stream, which the test plays.
class DriverBehaviourTest : public ::testing::Test {
 protected:
  DriverBehaviourTest() {
    habits_.offers.accept_probability = 1;
    habits_.offers.decline_probability = 0;
    habits_.give_up_probability = 0;
    habits_.disconnects_per_hour = 0;
    habits_.gps_noise_m = 0;
  }

  void Begin() {
    driver_.emplace(DriverBehaviour::Identity{DriverId("d-1"), "Ada", 4, kHome}, habits_, cruises_,
                    Random(1), now_);
    Run(seconds(0));
  }
  void BeginAndWelcome() {
    Begin();
    Push(Welcome(1, false));
  }

  // Advances time, and calls the driver whenever it asks for it.
  void Run(Duration time) {
    const Time end = now_ + time;
    for (; now_ < end; now_ = std::max(now_, std::min(end, driver_->wake_at()))) Wake();
    Wake();
  }
  void Wake() {
    DriverBehaviour::Actions actions;
    driver_->OnTime(now_, actions);
    Take(std::move(actions));
  }
  void Push(const pb::DriveResponse& message) {
    DriverBehaviour::Actions actions;
    driver_->OnMessage(message, now_, actions);
    Take(std::move(actions));
  }
  void Take(DriverBehaviour::Actions actions) {
    connects_ += actions.connect ? 1 : 0;
    disconnects_ += actions.disconnect ? 1 : 0;
    for (auto& message : actions.send) {
      if (message.has_ack()) driver_->OnAckSent(message.ack().sequence());
      sent_.push_back(std::move(message));
    }
  }
  // The messages of a kind that were sent since the last call; others are dropped.
  std::vector<pb::DriveRequest> Sent(pb::DriveRequest::MessageCase kind) {
    std::vector<pb::DriveRequest> found;
    for (auto& message : sent_) {
      if (message.message_case() == kind) found.push_back(std::move(message));
    }
    sent_.clear();
    return found;
  }

  pb::DriveResponse Welcome(std::uint64_t epoch, bool resumed) {
    pb::DriveResponse message;
    pb::Welcome& welcome = *message.mutable_welcome();
    welcome.set_session_id("s-1");
    welcome.set_epoch(epoch);
    welcome.set_resumed(resumed);
    *welcome.mutable_report_every() = ToProto(Duration(seconds(4)));
    *welcome.mutable_heartbeat() = ToProto(Duration(seconds(10)));
    if (!resumed) sequence_ = 0;
    return message;
  }
  pb::DriveResponse Numbered() {
    pb::DriveResponse message;
    message.set_sequence(++sequence_);
    return message;
  }
  pb::DriveResponse Offer(const std::string& offer_id) {
    pb::DriveResponse message = Numbered();
    message.mutable_offer()->set_offer_id(offer_id);
    message.mutable_offer()->set_trip_id("t-1");
    return message;
  }
  pb::DriveResponse Ended(const std::string& offer_id, pb::OfferOutcome outcome) {
    pb::DriveResponse message = Numbered();
    message.mutable_offer_ended()->set_offer_id(offer_id);
    message.mutable_offer_ended()->set_outcome(outcome);
    return message;
  }
  static void AddStop(pb::Plan& plan, pb::StopKind kind, double east_m, bool arrived = false) {
    pb::Stop& stop = *plan.add_stops();
    stop.set_kind(kind);
    stop.set_trip_id("t-1");
    stop.set_arrived(arrived);
    stop.mutable_passenger()->set_party_size(2);
    *stop.mutable_place() = ToProto(At(east_m));
    stop.set_eta_s(static_cast<std::uint32_t>(east_m / 10));
  }
  // From home east at 10 m/s.
  static void AddRoute(pb::Plan& plan, std::uint64_t id, std::initializer_list<double> east_m) {
    plan.set_route_id(id);
    LatLng last{0, 0};
    double before_m = 0;
    for (const double m : east_m) {
      const LatLng place = At(m);
      plan.mutable_route()->add_lat_e7(place.lat_e7 - last.lat_e7);
      plan.mutable_route()->add_lng_e7(place.lng_e7 - last.lng_e7);
      if (last.lat_e7 != 0) {
        plan.mutable_route()->add_piece_ms(static_cast<std::uint32_t>((m - before_m) * 100));
      }
      last = place;
      before_m = m;
    }
  }
  // Pick-up at 200 m, drop-off at 500 m.
  pb::DriveResponse NewRide(std::uint64_t version) {
    pb::DriveResponse message = Numbered();
    pb::Plan& plan = *message.mutable_plan();
    plan.set_version(version);
    plan.set_cause(pb::PLAN_CAUSE_RIDER_ADDED);
    AddStop(plan, pb::STOP_KIND_PICK_UP, 200);
    AddStop(plan, pb::STOP_KIND_DROP_OFF, 500);
    AddRoute(plan, 7, {0, 100, 200, 500});
    return message;
  }
  pb::DriveResponse NextPlan(std::uint64_t version, bool pick_up, bool drop_off) {
    pb::DriveResponse message = Numbered();
    pb::Plan& plan = *message.mutable_plan();
    plan.set_version(version);
    plan.set_cause(pb::PLAN_CAUSE_STOP_DONE);
    if (pick_up) AddStop(plan, pb::STOP_KIND_PICK_UP, 200, true);
    if (drop_off) AddStop(plan, pb::STOP_KIND_DROP_OFF, 500);
    plan.set_route_id(7);
    return message;
  }
  pb::DriveResponse Suggestion(double east_m, Duration lasts) {
    pb::DriveResponse message = Numbered();
    *message.mutable_waiting_place()->mutable_place() = ToProto(At(east_m));
    *message.mutable_waiting_place()->mutable_expires_at() = ToProto(now_ + lasts);
    return message;
  }
  void ExpectStep(pb::StopAction action) {
    const auto steps = Sent(pb::DriveRequest::kStopUpdate);
    ASSERT_EQ(steps.size(), 1u);
    EXPECT_EQ(steps[0].stop_update().action(), action);
    EXPECT_EQ(steps[0].stop_update().trip_id(), "t-1");
  }
  void ExpectViolation(Check check) {
    ASSERT_EQ(driver_->history().violations.size(), 1u);
    EXPECT_EQ(driver_->history().violations[0].check, check)
        << driver_->history().violations[0].text;
  }
  void ExpectNoViolation() {
    for (const auto& violation : driver_->history().violations) ADD_FAILURE() << violation.text;
  }

  DriverHabits habits_;
  NoCruises cruises_;
  Time now_ = ScaledClock::kAnchor;
  std::optional<DriverBehaviour> driver_;
  std::vector<pb::DriveRequest> sent_;
  int connects_ = 0, disconnects_ = 0;
  std::uint64_t sequence_ = 0;
};

TEST_F(DriverBehaviourTest, SendsHelloThenReportsEveryFourSeconds) {
  Begin();
  const auto hellos = Sent(pb::DriveRequest::kHello);
  ASSERT_EQ(hellos.size(), 1u);
  EXPECT_EQ(hellos[0].hello().market(), "city");
  EXPECT_EQ(hellos[0].hello().seats(), 4u);
  EXPECT_FALSE(hellos[0].hello().has_resume());
  EXPECT_FALSE(driver_->online());
  Push(Welcome(1, false));
  EXPECT_TRUE(driver_->online());
  Run(seconds(20));
  const auto positions = Sent(pb::DriveRequest::kPosition);
  ASSERT_EQ(positions.size(), 6u);  // One at once.
  for (size_t i = 0; i < positions.size(); ++i) {
    EXPECT_EQ(positions[i].position().sequence(), i + 1);
    EXPECT_EQ(positions[i].position().lat_e7(), kHome.lat_e7);
  }
}

TEST_F(DriverBehaviourTest, MayDriveToASuggestedWaitingPlace) {
  habits_.follow_probability = 1;
  BeginAndWelcome();
  Push(Suggestion(300, minutes(10)));
  ASSERT_EQ(Sent(pb::DriveRequest::kAck).size(), 1u);
  Run(seconds(29));
  EXPECT_LT(DistanceM(driver_->place(), At(290)), 1);
  EXPECT_EQ(driver_->history().waiting_places_followed, 1u);

  Push(Suggestion(0, seconds(0)));  // Came too late.
  Run(seconds(1));
  EXPECT_LT(DistanceM(driver_->place(), At(300)), 1);
  Push(NewRide(1));
  Push(Suggestion(900, minutes(10)));
  EXPECT_EQ(driver_->history().waiting_places, 3u);
  EXPECT_EQ(driver_->history().waiting_places_followed, 1u) << "it has a rider now";
}

TEST_F(DriverBehaviourTest, MayIgnoreSuggestions) {
  habits_.follow_probability = 0;
  BeginAndWelcome();
  Push(Suggestion(300, minutes(10)));
  Run(seconds(30));
  EXPECT_EQ(driver_->place(), kHome);
  ExpectNoViolation();
}

TEST_F(DriverBehaviourTest, FixesHaveGaussianNoise) {
  habits_.gps_noise_m = 5;
  BeginAndWelcome();
  Run(minutes(200));
  double squares = 0;
  const auto positions = Sent(pb::DriveRequest::kPosition);
  for (const auto& message : positions) {
    const double off = DistanceM(kHome, {message.position().lat_e7(), message.position().lng_e7()});
    squares += off * off;
  }
  EXPECT_NEAR(std::sqrt(squares / 2 / static_cast<double>(positions.size())), 5, 0.3);
}

TEST_F(DriverBehaviourTest, DrivesARideFromOfferToDropOff) {
  BeginAndWelcome();
  Push(Offer("o-1"));
  Run(seconds(8));
  const auto answers = Sent(pb::DriveRequest::kOfferAnswer);
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_TRUE(answers[0].offer_answer().accept());
  Push(Ended("o-1", pb::OFFER_OUTCOME_ACCEPTED));
  Push(NewRide(1));
  Run(seconds(19));
  EXPECT_TRUE(Sent(pb::DriveRequest::kStopUpdate).empty());
  EXPECT_LT(DistanceM(driver_->place(), At(190)), 1);
  Run(seconds(1));
  ExpectStep(pb::STOP_ACTION_ARRIVED);
  Push(NextPlan(2, true, true));
  Run(seconds(31));
  ExpectStep(pb::STOP_ACTION_PICKED_UP);
  EXPECT_LT(DistanceM(driver_->place(), At(200)), 1);
  Push(NextPlan(3, false, true));
  Run(seconds(29));
  EXPECT_LT(DistanceM(driver_->place(), At(490)), 1);
  Run(seconds(12));
  ExpectStep(pb::STOP_ACTION_DROPPED_OFF);
  EXPECT_FALSE(driver_->settled());
  Push(NextPlan(4, false, false));
  EXPECT_TRUE(driver_->settled());
  ExpectNoViolation();
  const DriverHistory& history = driver_->history();
  EXPECT_EQ(history.plans, 4u);
  EXPECT_EQ(history.acked_plan_version, 4u);
  EXPECT_EQ(history.most_seats_taken, 2u);
  ASSERT_EQ(history.offers.size(), 1u);
  EXPECT_EQ(history.offers[0].ends, 1);
  ASSERT_EQ(history.trips.size(), 1u);
  EXPECT_TRUE(history.trips[0].arrived && history.trips[0].picked_up &&
              history.trips[0].dropped_off);
}

TEST_F(DriverBehaviourTest, AcksEachPushAtOnce) {
  BeginAndWelcome();
  Push(Offer("o-1"));
  Push(Ended("o-1", pb::OFFER_OUTCOME_EXPIRED));
  const auto acks = Sent(pb::DriveRequest::kAck);
  ASSERT_EQ(acks.size(), 2u);
  EXPECT_EQ(acks[1].ack().sequence(), 2u);
}

TEST_F(DriverBehaviourTest, DeclinesAndIgnoresByItsProbabilities) {
  habits_.offers = {.accept_probability = 0.5, .decline_probability = 0.3};
  BeginAndWelcome();
  int accepted = 0, declined = 0;
  constexpr int kOffers = 1'000;
  for (int i = 0; i < kOffers; ++i) {
    const std::string offer_id = "o-" + std::to_string(i);
    Push(Offer(offer_id));
    Run(seconds(10));
    for (const auto& answer : Sent(pb::DriveRequest::kOfferAnswer)) {
      ++(answer.offer_answer().accept() ? accepted : declined);
    }
    Push(Ended(offer_id, pb::OFFER_OUTCOME_EXPIRED));
  }
  EXPECT_NEAR(accepted, 500, 60);
  EXPECT_NEAR(declined, 300, 60);
  ExpectNoViolation();
}

TEST_F(DriverBehaviourTest, ResumesAndRepeatsWhatWasNotAnswered) {
  BeginAndWelcome();
  Push(NewRide(1));
  Run(seconds(21));
  ExpectStep(pb::STOP_ACTION_ARRIVED);
  driver_->OnClosed(std::nullopt, now_);
  Run(seconds(1));
  const auto hellos = Sent(pb::DriveRequest::kHello);
  ASSERT_EQ(hellos.size(), 1u);
  const pb::Resume& resume = hellos[0].hello().resume();
  EXPECT_EQ(resume.session_id(), "s-1");
  EXPECT_EQ(resume.epoch(), 1u);
  EXPECT_EQ(resume.last_sequence(), 1u);
  EXPECT_EQ(resume.plan_version(), 1u);
  Push(Welcome(2, true));
  ExpectStep(pb::STOP_ACTION_ARRIVED);
  ExpectNoViolation();
}

TEST_F(DriverBehaviourTest, RejectedStepIsTriedAgainWhileThePlanWantsIt) {
  BeginAndWelcome();
  Push(NewRide(1));
  Run(seconds(21));
  ExpectStep(pb::STOP_ACTION_ARRIVED);
  pb::DriveResponse rejected = Numbered();
  rejected.mutable_rejected()->mutable_stop_update()->set_trip_id("t-1");
  rejected.mutable_rejected()->mutable_stop_update()->set_action(pb::STOP_ACTION_ARRIVED);
  Push(rejected);
  Run(seconds(4));
  EXPECT_TRUE(Sent(pb::DriveRequest::kStopUpdate).empty());
  Run(seconds(2));
  ExpectStep(pb::STOP_ACTION_ARRIVED);
}

TEST_F(DriverBehaviourTest, FreshSessionVoidsOffersAndPlans) {
  BeginAndWelcome();
  Push(NewRide(3));
  Push(Offer("o-1"));
  driver_->OnClosed(std::nullopt, now_);
  Run(seconds(1));
  Sent(pb::DriveRequest::kHello);
  pb::DriveResponse welcome = Welcome(2, false);
  Push(welcome);
  Run(minutes(2));
  EXPECT_TRUE(Sent(pb::DriveRequest::kStopUpdate).empty());
  EXPECT_TRUE(driver_->history().offers[0].voided);
  EXPECT_TRUE(driver_->settled());
  Push(NewRide(4));  // Push 1 of the fresh session.
  ExpectNoViolation();
}

TEST_F(DriverBehaviourTest, SnapshotRestoresPlanAndOffer) {
  Begin();
  pb::DriveResponse welcome = Welcome(5, false);
  *welcome.mutable_welcome()->mutable_snapshot()->mutable_plan() = NewRide(9).plan();
  sequence_ = 0;
  Push(welcome);
  Run(seconds(21));
  ExpectStep(pb::STOP_ACTION_ARRIVED);
  ExpectNoViolation();
}

TEST_F(DriverBehaviourTest, TakesAResumedSessionsSnapshotAndIgnoresOlderPlansAfterIt) {
  BeginAndWelcome();
  driver_->OnClosed(std::nullopt, now_);
  Run(seconds(1));
  pb::DriveResponse welcome = Welcome(2, true);
  pb::Plan& nothing_to_do = *welcome.mutable_welcome()->mutable_snapshot()->mutable_plan();
  nothing_to_do.set_version(5);
  Push(welcome);
  Sent(pb::DriveRequest::kAck);
  Push(NewRide(4));  // It wasn't acked, and is over by now.
  EXPECT_EQ(Sent(pb::DriveRequest::kAck).size(), 1u);
  Run(minutes(2));
  EXPECT_TRUE(Sent(pb::DriveRequest::kStopUpdate).empty());
  EXPECT_TRUE(driver_->settled());
  Push(NewRide(6));
  Run(seconds(21));
  ExpectStep(pb::STOP_ACTION_ARRIVED);
  ExpectNoViolation();
}

TEST_F(DriverBehaviourTest, EndsItsShiftWhenIdleAndBeginsTheNextOneLater) {
  habits_.shifts_per_hour = 60;
  BeginAndWelcome();
  Run(minutes(30));
  ASSERT_EQ(Sent(pb::DriveRequest::kEndShift).size(), 1u) << "it waits for the answer";
  EXPECT_FALSE(driver_->settled());
  driver_->OnClosed(std::nullopt, now_);
  const Time ended_at = now_;
  EXPECT_GT(driver_->wake_at(), ended_at);
  Run(driver_->wake_at() - now_);
  EXPECT_EQ(connects_, 2);
  Push(Welcome(2, false));
  EXPECT_TRUE(driver_->settled());
}

TEST_F(DriverBehaviourTest, WorksOnWhenTheEndOfItsShiftIsRejected) {
  habits_.shifts_per_hour = 60;
  BeginAndWelcome();
  Run(minutes(30));
  ASSERT_EQ(Sent(pb::DriveRequest::kEndShift).size(), 1u);
  pb::DriveResponse rejected = Numbered();
  rejected.mutable_rejected()->mutable_end_shift();
  rejected.mutable_rejected()->set_code(pb::REJECTION_CODE_FAILED_PRECONDITION);
  Push(rejected);
  EXPECT_TRUE(driver_->settled());
  Run(minutes(30));
  EXPECT_EQ(Sent(pb::DriveRequest::kEndShift).size(), 1u);
}

TEST_F(DriverBehaviourTest, JoinsARouteFromWhereItIsWithoutAJump) {
  BeginAndWelcome();
  Push(NewRide(1));
  Run(seconds(5));  // At 50 m. A new route from where dispatch last knew the car to be.
  const LatLng before = driver_->place();
  pb::DriveResponse message = NewRide(2);
  message.mutable_plan()->set_route_id(8);
  Push(message);
  EXPECT_LT(DistanceM(driver_->place(), before), 1);
  Run(seconds(16));
  ExpectStep(pb::STOP_ACTION_ARRIVED);
  EXPECT_LT(DistanceM(driver_->place(), At(200)), 1);
}

TEST_F(DriverBehaviourTest, LosesItsConnectionAndComesBack) {
  habits_.disconnects_per_hour = 60;
  habits_.welcome_timeout = std::chrono::hours(1);
  BeginAndWelcome();
  for (int lost = 1; lost < 50; ++lost) {
    Run(minutes(30));
    EXPECT_EQ(disconnects_, lost);
    EXPECT_EQ(connects_, lost + 1);
    Push(Welcome(static_cast<std::uint64_t>(lost) + 1, true));
  }
  ExpectNoViolation();
}

TEST_F(DriverBehaviourTest, SpreadsReconnectsOfDriversThatLostTheirConnectionsTogether) {
  constexpr std::size_t kHerd = 1'000;
  std::array<std::size_t, 10> comes_back{};  // In each tenth of the first pause.
  for (std::size_t i = 0; i < kHerd; ++i) {
    const DriverId id(std::to_string(i));
    DriverBehaviour driver({id, "Ada", 4, kHome}, habits_, cruises_, Random(i), now_);
    DriverBehaviour::Actions actions;
    driver.OnTime(now_, actions);
    driver.OnClosed(std::nullopt, now_);
    const auto tenth =
        static_cast<std::size_t>(10 * (driver.wake_at() - now_) / habits_.first_backoff);
    ++comes_back[std::min(tenth, comes_back.size() - 1)];
  }
  EXPECT_THAT(comes_back, ::testing::Each(::testing::Lt(kHerd / 5)));
}

TEST_F(DriverBehaviourTest, SendsHelloAgainWithoutAWelcome) {
  Begin();
  Run(minutes(2));
  EXPECT_GT(disconnects_, 4);
  EXPECT_EQ(connects_, disconnects_ + 1);
}

TEST_F(DriverBehaviourTest, GoodbyeAndRetryAfterAreObeyed) {
  BeginAndWelcome();
  pb::DriveResponse goodbye;
  *goodbye.mutable_goodbye()->mutable_reconnect_after() = ToProto(Duration(seconds(20)));
  Push(goodbye);
  EXPECT_EQ(disconnects_, 1);
  driver_->OnClosed(std::nullopt, now_);
  Run(seconds(19));
  EXPECT_EQ(connects_, 1);
  Run(seconds(7));
  EXPECT_EQ(connects_, 2);
  driver_->OnClosed(Duration(seconds(40)), now_);
  Run(seconds(35));
  EXPECT_EQ(connects_, 2);
  Run(seconds(16));
  EXPECT_EQ(connects_, 3);
}

TEST_F(DriverBehaviourTest, GivesUpATripBeforeThePickUp) {
  habits_.give_up_probability = 1;
  BeginAndWelcome();
  pb::DriveResponse ride = NewRide(1);
  Push(ride);
  Run(minutes(2));
  // The driver either gave up on the way or arrived first.
  const auto sent = std::move(sent_);
  const bool gave_up = std::any_of(sent.begin(), sent.end(),
                                   [](const auto& message) { return message.has_give_up(); });
  const bool arrived = std::any_of(sent.begin(), sent.end(),
                                   [](const auto& message) { return message.has_stop_update(); });
  EXPECT_NE(gave_up, arrived && !gave_up);
  Push(NextPlan(2, false, false));
  EXPECT_TRUE(driver_->settled());
}

TEST_F(DriverBehaviourTest, DeclinesOffersAndStartsNothingWhenParked) {
  BeginAndWelcome();
  driver_->Park(now_);
  Push(Offer("o-1"));
  const auto answers = Sent(pb::DriveRequest::kOfferAnswer);
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_FALSE(answers[0].offer_answer().accept());
  EXPECT_FALSE(driver_->settled());
  Push(Ended("o-1", pb::OFFER_OUTCOME_DECLINED));
  Push(NewRide(1));
  Run(minutes(5));
  EXPECT_TRUE(Sent(pb::DriveRequest::kStopUpdate).empty());
  EXPECT_TRUE(driver_->settled());
}

TEST_F(DriverBehaviourTest, DoesNotReconnectAfterItsCarWasTakenOver) {
  BeginAndWelcome();
  Push(NewRide(1));
  const int connects = connects_;
  driver_->OnTakenOver();
  Run(minutes(5));
  driver_->Park(now_);
  Run(minutes(5));
  EXPECT_EQ(connects_, connects);
  EXPECT_TRUE(driver_->settled());
  EXPECT_TRUE(driver_->history().taken_over);
}

TEST_F(DriverBehaviourTest, NoticesAGapInThePushes) {
  BeginAndWelcome();
  ++sequence_;
  Push(Offer("o-1"));
  ExpectViolation(Check::kPushSequence);
}

TEST_F(DriverBehaviourTest, NoticesARepeatedPush) {
  BeginAndWelcome();
  Push(Offer("o-1"));
  --sequence_;
  Push(Offer("o-1"));
  ExpectViolation(Check::kPushSequence);
  EXPECT_EQ(driver_->history().offers.size(), 1u);
}

TEST_F(DriverBehaviourTest, NoticesAPlanVersionThatDoesNotGrow) {
  BeginAndWelcome();
  Push(NewRide(4));
  Push(NextPlan(4, true, true));
  ExpectViolation(Check::kPlanVersionGrows);
}

TEST_F(DriverBehaviourTest, NoticesARouteItWasNeverSent) {
  BeginAndWelcome();
  Push(NewRide(1));
  pb::DriveResponse message = NextPlan(2, true, true);
  message.mutable_plan()->set_route_id(8);
  Push(message);
  ExpectViolation(Check::kRouteKnown);
}

TEST_F(DriverBehaviourTest, NoticesAnEpochThatDoesNotGrow) {
  BeginAndWelcome();
  driver_->OnClosed(std::nullopt, now_);
  Run(seconds(1));
  Push(Welcome(1, true));
  ExpectViolation(Check::kSessionEpochGrows);
}

TEST_F(DriverBehaviourTest, NoticesASecondOpenOffer) {
  BeginAndWelcome();
  Push(Offer("o-1"));
  Push(Offer("o-2"));
  ExpectViolation(Check::kOneOpenOffer);
}

}  // namespace
}  // namespace ridestream::loadtest
