#include "loadtest/auditor/auditor.h"

#include <functional>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/proto_values/proto_values.h"

namespace ridestream::loadtest {
namespace {

namespace pb = ::ridestream::trip::v1;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr Time kStart = ScaledClock::kAnchor;

/// A correct history: driver d-1 gives up trip t-1, which d-2 then serves; rider r-1 changes the
/// destination on the way.
struct RunHistory {
  RunHistory() {
    rider.id = RiderId("r-1");
    rider.trip_id = TripId("t-1");
    rider.answers = 1;
    rider.quoted_minor = 860;
    rider.fare_minor = 1'110;
    rider.destination_changes = 1;
    for (const auto state : {pb::TRIP_STATE_REQUESTED, pb::TRIP_STATE_ASSIGNED,
                             pb::TRIP_STATE_ABOARD, pb::TRIP_STATE_COMPLETED}) {
      rider.Saw(state);
    }
    first = MakeDriver("d-1", "o-1", 4);
    second = MakeDriver("d-2", "o-2", 4);
    second.trips.push_back({TripId("t-1"), true, true, true});
    Add(pb::TRIP_STATE_UNSPECIFIED, pb::TRIP_STATE_REQUESTED, "", "");
    Add(pb::TRIP_STATE_REQUESTED, pb::TRIP_STATE_ASSIGNED, "d-1", "o-1");
    Add(pb::TRIP_STATE_ASSIGNED, pb::TRIP_STATE_REQUESTED, "", "");
    Add(pb::TRIP_STATE_REQUESTED, pb::TRIP_STATE_ASSIGNED, "d-2", "o-2");
    Add(pb::TRIP_STATE_ASSIGNED, pb::TRIP_STATE_ARRIVED, "d-2", "o-2");
    Add(pb::TRIP_STATE_ARRIVED, pb::TRIP_STATE_ABOARD, "d-2", "o-2");
    Add(pb::TRIP_STATE_ABOARD, pb::TRIP_STATE_ABOARD, "d-2", "o-2");
    SetFare(log.back(), 4'000);
    Add(pb::TRIP_STATE_ABOARD, pb::TRIP_STATE_COMPLETED, "d-2", "o-2");
    SetFare(log.back(), 4'000);
    listed = {log.back().trip()};
  }

  static DriverHistory MakeDriver(const char* id, const char* offer, std::uint32_t seats) {
    DriverHistory driver;
    driver.id = DriverId(id);
    driver.seats = seats;
    driver.welcomes = 1;
    driver.pushes = 3;
    driver.plans = 1;
    driver.plan_version = driver.acked_plan_version = 1;
    driver.most_seats_taken = 2;
    driver.offers.push_back({OfferId(offer), TripId("t-1"), kStart, OfferHistory::Answer::kAccept,
                             1, dispatch::v1::OFFER_OUTCOME_ACCEPTED});
    return driver;
  }

  // 2.50 base, 1.50 per km, 0.30 per minute, 10 minutes.
  static void SetFare(pb::TripEvent& event, std::uint32_t length_m) {
    pb::Fare& fare = *event.mutable_trip()->mutable_fare();
    fare.mutable_tariff()->set_currency_code("USD");
    fare.mutable_tariff()->set_base_minor(250);
    fare.mutable_tariff()->set_per_km_minor(125);
    fare.mutable_tariff()->set_per_minute_minor(36);
    fare.set_length_m(length_m);
    *fare.mutable_duration() = ToProto(std::chrono::minutes(10));
    fare.set_distance_part_minor(length_m / 8);
    fare.set_time_part_minor(360);
    fare.mutable_total()->set_currency_code("USD");
    fare.mutable_total()->set_amount_minor(610 + length_m / 8);
  }

  pb::TripEvent& Add(pb::TripState from, pb::TripState to, const char* driver, const char* offer) {
    pb::TripEvent& event = log.emplace_back();
    event.set_sequence(log.size() * 10);
    *event.mutable_at() = ToProto(kStart + std::chrono::minutes(log.size()));
    event.set_previous_state(from);
    pb::Trip& trip = *event.mutable_trip();
    trip.set_trip_id("t-1");
    trip.set_state(to);
    trip.set_version(log.size());
    trip.mutable_passenger()->set_rider_id("r-1");
    trip.mutable_passenger()->set_party_size(2);
    *trip.mutable_requested_at() = ToProto(kStart);
    if (to == pb::TRIP_STATE_COMPLETED) {
      *trip.mutable_ended_at() = ToProto(kStart + std::chrono::minutes(20));
    }
    if (*driver != 0) {
      trip.mutable_driver()->set_driver_id(driver);
      trip.set_offer_id(offer);
    }
    SetFare(event, 2'000);
    return event;
  }

  void Feed(Auditor& auditor) {
    for (DriverHistory* driver : {&first, &second}) auditor.AddDriver(*driver);
    auditor.AddRider(rider);
    auditor.AddPositions(sent, indexed);
    for (const auto& event : log) auditor.AddEvent(event);
    for (const auto& trip : listed) auditor.AddListed(trip);
  }

  RiderHistory rider;
  DriverHistory first, second;
  std::vector<pb::TripEvent> log;
  std::vector<pb::Trip> listed;
  std::uint64_t sent = 100, indexed = 90;
};

TEST(AuditorTest, FindsNoViolationInACorrectRun) {
  RunHistory run;
  Auditor auditor;
  run.Feed(auditor);
  const Verdict& verdict = auditor.Judge();
  EXPECT_TRUE(verdict.clean());
  for (const Violation& violation : verdict.first()) {
    ADD_FAILURE() << Name(violation.check) << ": " << violation.text;
  }
  for (size_t i = 0; i < kCheckCount; ++i) {
    EXPECT_GT(verdict.count(static_cast<Check>(i)).looked_at, 0u) << Name(static_cast<Check>(i));
  }
}

TEST(AuditorTest, DoesNotJudgeADriverWhoseCarWasTakenOver) {
  RunHistory run;
  run.first.taken_over = true;
  run.first.offers.clear();
  run.first.plan_version += 1;
  run.indexed = run.sent + 7;
  Auditor auditor;
  run.Feed(auditor);
  EXPECT_TRUE(auditor.Judge().clean());
}

/// The same with a rider who shares: d-1 accepts, and loses the trip to d-2, into whose plan it is
/// inserted without an offer.
RunHistory SharedRun() {
  RunHistory run;
  const auto share = [](pb::Promise& promise) {
    *promise.mutable_pickup_within() = ToProto(std::chrono::minutes(8));
    *promise.mutable_dropoff_within() = ToProto(std::chrono::minutes(30));
  };
  share(run.rider.promise.emplace());
  std::erase_if(run.log, [&](const pb::TripEvent& event) {
    return event.previous_state() == pb::TRIP_STATE_ASSIGNED &&
           event.trip().state() == pb::TRIP_STATE_REQUESTED;
  });
  bool moved = false;
  std::uint64_t version = 0;
  for (pb::TripEvent& event : run.log) {
    pb::Trip& trip = *event.mutable_trip();
    trip.set_version(++version);
    share(*trip.mutable_promise());
    pb::Promise& promise = *trip.mutable_promise();
    *promise.mutable_latest_pickup_at() = ToProto(kStart + std::chrono::minutes(8));
    *promise.mutable_latest_dropoff_at() = ToProto(kStart + std::chrono::minutes(30));
    if (trip.driver().driver_id() == "d-2") {
      trip.add_released_driver_ids("d-1");
      if (!moved) event.set_previous_state(pb::TRIP_STATE_ASSIGNED);
      moved = true;
    }
    if (trip.state() == pb::TRIP_STATE_COMPLETED) {
      *trip.mutable_arrived_at() = ToProto(kStart + std::chrono::minutes(5));
    }
  }
  run.second.offers.clear();
  run.second.SawInPlan(TripId("t-1"));
  run.listed = {run.log.back().trip()};
  return run;
}

TEST(AuditorTest, FindsNoViolationWhenASharedRiderIsMoved) {
  RunHistory run = SharedRun();
  Auditor auditor;
  run.Feed(auditor);
  const Verdict& verdict = auditor.Judge();
  for (const Violation& violation : verdict.first()) {
    ADD_FAILURE() << Name(violation.check) << ": " << violation.text;
  }
  EXPECT_EQ(auditor.rides().shared_trips, 1u);
  EXPECT_EQ(auditor.rides().broken_promises, 0u);
  EXPECT_DOUBLE_EQ(auditor.rides().riders_per_car, 1);
}

TEST(AuditorTest, CountsStepsThatAreRecordedAsImplausible) {
  RunHistory run = SharedRun();
  for (pb::TripEvent& event : run.log) {
    if (event.trip().state() < pb::TRIP_STATE_ABOARD) continue;
    pb::ImplausibleStep& step = *event.mutable_trip()->add_implausible_steps();
    step.set_driver_id("d-2");
    step.set_to(pb::TRIP_STATE_ABOARD);
    step.set_plausibility(pb::STEP_PLAUSIBILITY_FAR_FROM_STOP);
  }
  run.listed = {run.log.back().trip()};
  Auditor auditor;
  run.Feed(auditor);
  EXPECT_TRUE(auditor.Judge().clean());
  EXPECT_EQ(auditor.rides().steps, 3u);
  EXPECT_EQ(auditor.rides().implausible_steps, 1u) << "the step is also on later records";
}

/// The violations found in a shared run after `spoil` has changed it.
std::string FoundIn(const std::function<void(RunHistory&)>& spoil) {
  RunHistory run = SharedRun();
  spoil(run);
  Auditor auditor;
  run.Feed(auditor);
  const Verdict& verdict = auditor.Judge();
  std::string texts;
  for (const Violation& violation : verdict.first()) texts += violation.text + "\n";
  return texts;
}

TEST(AuditorTest, FindsPromisesThatWereChangedOrBrokenWithoutANotification) {
  EXPECT_THAT(FoundIn([](RunHistory& run) {
                run.log.back().mutable_trip()->mutable_promise()->clear_latest_pickup_at();
              }),
              HasSubstr("its promise is another in version"));
  EXPECT_THAT(FoundIn([](RunHistory& run) { run.rider.promise.reset(); }),
              HasSubstr("promised with the quote 'nothing'"));
  EXPECT_THAT(FoundIn([](RunHistory& run) {
                *run.rider.promise->mutable_pickup_within() = ToProto(std::chrono::minutes(1));
              }),
              HasSubstr("promised with the quote"));
  const auto arrive_late = [](RunHistory& run) {
    *run.log.back().mutable_trip()->mutable_arrived_at() =
        ToProto(kStart + std::chrono::minutes(10));
  };
  EXPECT_THAT(FoundIn(arrive_late), HasSubstr("120 s later than promised, which the rider was"));
  EXPECT_EQ(FoundIn([&](RunHistory& run) {
              arrive_late(run);
              run.rider.notified_broken = true;
            }),
            "");
}

TEST(AuditorTest, FindsATripThatItsDriverNeverAgreedTo) {
  EXPECT_THAT(FoundIn([](RunHistory& run) { run.second.planned.clear(); }),
              HasSubstr("which it didn't accept"));
  EXPECT_THAT(FoundIn([](RunHistory& run) {
                for (pb::TripEvent& event : run.log) {
                  event.mutable_trip()->clear_released_driver_ids();
                }
              }),
              HasSubstr("changes the driver from d-1 to d-2"));
}

TEST(AuditorTest, TripMayBeInsertedAfterItsOfferExpired) {
  EXPECT_EQ(FoundIn([](RunHistory& run) {
              run.second.planned.clear();
              run.second.offers.push_back({OfferId("o-9"), TripId("t-1"), kStart,
                                           OfferHistory::Answer::kAccept, 1,
                                           dispatch::v1::OFFER_OUTCOME_EXPIRED});
              run.second.SawInPlan(TripId("t-1"));
            }),
            "");
}

TEST(AuditorTest, DriverMayMissATripThatIsCancelledBeforeItsPlanIsPushed) {
  EXPECT_THAT(FoundIn([](RunHistory& run) {
                run.log.resize(3);
                pb::TripEvent& cancelled = run.log.emplace_back(run.log.back());
                cancelled.set_sequence(45);
                cancelled.set_previous_state(pb::TRIP_STATE_ASSIGNED);
                cancelled.mutable_trip()->set_version(4);
                cancelled.mutable_trip()->set_state(pb::TRIP_STATE_CANCELLED);
                cancelled.mutable_trip()->mutable_cancellation()->set_by_rider_id("r-1");
                run.listed = {cancelled.trip()};
                run.rider.states = {pb::TRIP_STATE_REQUESTED, pb::TRIP_STATE_CANCELLED};
                run.rider.cancelled = true;
                run.rider.fare_minor = *run.rider.quoted_minor;
                run.second.planned.clear();
              }),
              Not(HasSubstr("which it didn't accept")));
}

struct Wrong {
  const char* what;
  Check check;
  const char* text;
  std::function<void(RunHistory&)> make;
};

class AuditorFindsTest : public ::testing::TestWithParam<Wrong> {};

TEST_P(AuditorFindsTest, OneViolation) {
  RunHistory run;
  GetParam().make(run);
  Auditor auditor;
  run.Feed(auditor);
  const Verdict& verdict = auditor.Judge();
  EXPECT_GE(verdict.count(GetParam().check).violations, 1u);
  std::string texts;
  for (const Violation& violation : verdict.first()) {
    texts += std::string(Name(violation.check)) + ": " + violation.text + "\n";
  }
  EXPECT_THAT(texts, HasSubstr(GetParam().text));
}

INSTANTIATE_TEST_SUITE_P(
    EachKind, AuditorFindsTest,
    ::testing::Values(
        Wrong{"Unanswered", Check::kRequestAnsweredOnce, "r-1: was never answered",
              [](RunHistory& run) { run.rider.trip_id = TripId(); }},
        Wrong{"RefusedButOnRecord", Check::kRequestAnsweredOnce,
              "1 trips on record, was answered 0",
              [](RunHistory& run) {
                run.rider.trip_id = TripId();
                run.rider.refusal = "FAILED_PRECONDITION";
              }},
        Wrong{"AnsweredTwice", Check::kRequestAnsweredOnce, "1 further answers",
              [](RunHistory& run) { run.rider.other_trip_answers = 1; }},
        Wrong{"TwoTrips", Check::kRequestAnsweredOnce, "2 trips on record",
              [](RunHistory& run) {
                run.log.push_back(run.log.front());
                run.log.back().set_sequence(1'000);
                run.log.back().mutable_trip()->set_trip_id("t-2");
                run.listed.push_back(run.log.back().trip());
              }},
        Wrong{"LostTrip", Check::kRequestAnsweredOnce, "trip t-9 of the answer isn't",
              [](RunHistory& run) { run.rider.trip_id = TripId("t-9"); }},
        Wrong{"NeverEnded", Check::kAcceptedTripEnded,
              "is ABOARD on record, the rider last saw COM",
              [](RunHistory& run) { run.log.pop_back(); }},
        Wrong{"EndUnheard", Check::kAcceptedTripEnded,
              "COMPLETED on record, the rider last saw ABO",
              [](RunHistory& run) { run.rider.states.pop_back(); }},
        Wrong{"SkippedState", Check::kLegalTransition, "leads from ASSIGNED to ABOARD",
              [](RunHistory& run) {
                run.log.erase(run.log.begin() + 4);
                run.log[4].set_previous_state(pb::TRIP_STATE_ASSIGNED);
              }},
        Wrong{"ForgottenState", Check::kLegalTransition, "says it was ASSIGNED, it was REQUESTED",
              [](RunHistory& run) { run.log[1].set_previous_state(pb::TRIP_STATE_ASSIGNED); }},
        Wrong{"VersionHole", Check::kLegalTransition, "has version 9 after 7",
              [](RunHistory& run) {
                run.log.back().mutable_trip()->set_version(9);
                run.listed.back().set_version(9);
              }},
        Wrong{"TimesOutOfOrder", Check::kLegalTransition, "times that aren't in order",
              [](RunHistory& run) {
                *run.log.back().mutable_trip()->mutable_ended_at() =
                    ToProto(kStart - std::chrono::seconds(1));
              }},
        Wrong{"DriverSwapped", Check::kOneDriverPerTrip, "changes the driver from d-2 to d-1",
              [](RunHistory& run) {
                run.log[5].mutable_trip()->mutable_driver()->set_driver_id("d-1");
              }},
        Wrong{"NoDriver", Check::kOneDriverPerTrip, "is ASSIGNED with driver ''",
              [](RunHistory& run) { run.log[1].mutable_trip()->clear_driver(); }},
        Wrong{
            "NotAccepted", Check::kOneDriverPerTrip, "by offer o-2, which it didn't accept",
            [](RunHistory& run) { run.second.offers[0].answer = OfferHistory::Answer::kDecline; }},
        Wrong{"AcceptLost", Check::kOneDriverPerTrip,
              "was notified that it got trip t-1 by offer o-7",
              [](RunHistory& run) { run.first.offers[0].offer_id = OfferId("o-7"); }},
        Wrong{"TooManyAboard", Check::kSeatsNotExceeded, "2 aboard with event 60, has 1 seats",
              [](RunHistory& run) { run.second.seats = 1; }},
        Wrong{"TooManyPlanned", Check::kSeatsNotExceeded, "5 aboard by its plans, has 4 seats",
              [](RunHistory& run) { run.first.most_seats_taken = 5; }},
        Wrong{"OfferOpen", Check::kOfferEnded, "offer o-2 ended 0 times",
              [](RunHistory& run) { run.second.offers[0].ends = 0; }},
        Wrong{"OfferEndedTwice", Check::kOfferEnded, "offer o-2 ended 2 times",
              [](RunHistory& run) { run.second.offers[0].ends = 2; }},
        Wrong{"OfferEndedDifferently", Check::kOfferEnded, "with different outcomes",
              [](RunHistory& run) {
                run.second.offers[0].answers = 2;
                run.second.offers[0].ends = 2;
                run.second.offers[0].ends_differ = true;
              }},
        Wrong{"OfferOfNothing", Check::kOfferEnded, "for trip t-8, which isn't on record",
              [](RunHistory& run) { run.second.offers[0].trip_id = TripId("t-8"); }},
        Wrong{"TwoOffers", Check::kOneOpenOffer, "driver d-1: two",
              [](RunHistory& run) { run.first.Violated(Check::kOneOpenOffer, "two"); }},
        Wrong{"OfferedAgain", Check::kNotOfferedAgain, "d-1: offered trip t-1 again by offer o-3",
              [](RunHistory& run) {
                run.first.offers.push_back(
                    {OfferId("o-3"), TripId("t-1"),
                     kStart + std::chrono::minutes(3) + std::chrono::seconds(1),
                     OfferHistory::Answer::kNone, 1, dispatch::v1::OFFER_OUTCOME_EXPIRED});
              }},
        Wrong{"GivenAgain", Check::kNotOfferedAgain, "gives it to d-1 again",
              [](RunHistory& run) {
                for (size_t i = 3; i < run.log.size(); ++i) {
                  run.log[i].mutable_trip()->mutable_driver()->set_driver_id("d-1");
                }
              }},
        Wrong{"PlanUnacked", Check::kPlanAcked, "plan version 2 neither acked nor replaced",
              [](RunHistory& run) { run.second.plan_version = 2; }},
        Wrong{"PlanVersionBack", Check::kPlanVersionGrows,
              "driver d-2: plan version 1 came after 2",
              [](RunHistory& run) {
                run.second.Violated(Check::kPlanVersionGrows, "plan version 1 came after 2");
              }},
        Wrong{"RouteUnknown", Check::kRouteKnown, "driver d-2: no route",
              [](RunHistory& run) { run.second.Violated(Check::kRouteKnown, "no route"); }},
        Wrong{"PushLost", Check::kPushSequence, "driver d-2: more than 8 violations",
              [](RunHistory& run) {
                for (int i = 0; i < 9; ++i) run.second.Violated(Check::kPushSequence, "gap");
              }},
        Wrong{"EpochBack", Check::kSessionEpochGrows, "driver d-1: epoch",
              [](RunHistory& run) { run.first.Violated(Check::kSessionEpochGrows, "epoch"); }},
        Wrong{"OtherFareThanQuoted", Check::kFareEqualsQuote, "began with fare 860, was quoted 861",
              [](RunHistory& run) { run.rider.quoted_minor = 861; }},
        Wrong{"OtherFareThanRiderWasShown", Check::kFareEqualsQuote,
              "fare 1110 on record, the rider was sent",
              [](RunHistory& run) { run.rider.fare_minor = 860; }},
        Wrong{"FareNotTheSum", Check::kFareEqualsQuote, "is not the tariff's sum",
              [](RunHistory& run) {
                run.log.back().mutable_trip()->mutable_fare()->set_time_part_minor(359);
              }},
        Wrong{"SawWhatNeverWas", Check::kRiderSawRecord, "the rider saw REQUESTED UNSERVED",
              [](RunHistory& run) {
                run.rider.states = {pb::TRIP_STATE_REQUESTED, pb::TRIP_STATE_UNSERVED};
              }},
        Wrong{"CancellationLost", Check::kRiderSawRecord,
              "cancellation was confirmed, on record is",
              [](RunHistory& run) { run.rider.cancelled = true; }},
        Wrong{"DeedNeverDone", Check::kDriverDidRecord,
              "is COMPLETED by event 80, which driver d-2",
              [](RunHistory& run) { run.second.trips[0].dropped_off = false; }},
        Wrong{"ListedOtherwise", Check::kListEqualsLog, "is listed as ABOARD version 8",
              [](RunHistory& run) { run.listed[0].set_state(pb::TRIP_STATE_ABOARD); }},
        Wrong{"ListedTwice", Check::kListEqualsLog, "is listed twice",
              [](RunHistory& run) { run.listed.push_back(run.listed[0]); }},
        Wrong{"NotListed", Check::kListEqualsLog, "t-1: is not listed",
              [](RunHistory& run) { run.listed.clear(); }},
        Wrong{"NothingIndexed", Check::kPositionsIndexed, "100 positions sent, 0 seen",
              [](RunHistory& run) { run.indexed = 0; }},
        Wrong{"MoreIndexedThanSent", Check::kPositionsIndexed, "100 positions sent, 101 seen",
              [](RunHistory& run) { run.indexed = 101; }}),
    [](const auto& test) { return std::string(test.param.what); });

/// The violations found where d-2, who has arrived or has the rider aboard, ends the trip like
/// this.
std::string FoundInEnd(pb::TripState from, const std::function<void(pb::Trip&)>& end) {
  RunHistory run;
  run.rider.states = {pb::TRIP_STATE_REQUESTED, pb::TRIP_STATE_CANCELLED};
  run.log.resize(from == pb::TRIP_STATE_ARRIVED ? 5 : 6);
  run.rider.fare_minor = run.log.back().trip().fare().total().amount_minor();
  pb::Trip& trip = *run.Add(from, pb::TRIP_STATE_CANCELLED, "d-2", "o-2").mutable_trip();
  *trip.mutable_arrived_at() = ToProto(kStart + std::chrono::minutes(10));
  *trip.mutable_ended_at() = ToProto(kStart + std::chrono::minutes(15));
  trip.mutable_fare()->mutable_tariff()->set_no_show_fee_minor(500);
  trip.mutable_fare()->mutable_tariff()->mutable_no_show_after()->set_seconds(300);
  end(trip);
  run.listed = {trip};
  Auditor auditor;
  run.Feed(auditor);
  std::string texts;
  for (const Violation& violation : auditor.Judge(Auditor::Extent::kPart).first())
    texts += violation.text + "\n";
  return texts;
}

TEST(AuditorTest, ChecksHowTripsEndAtThePickUp) {
  const auto no_show = [](pb::Trip& trip) {
    trip.mutable_cancellation()->set_by_driver_id("d-2");
    trip.mutable_cancellation()->set_reason(pb::CANCEL_REASON_NO_SHOW);
    trip.mutable_cancellation()->mutable_fee()->set_amount_minor(500);
  };
  EXPECT_EQ(FoundInEnd(pb::TRIP_STATE_ARRIVED, no_show), "");
  EXPECT_THAT(FoundInEnd(pb::TRIP_STATE_ABOARD, no_show), HasSubstr("from ABOARD for a no-show"));
  EXPECT_THAT(FoundInEnd(pb::TRIP_STATE_ARRIVED,
                         [&](pb::Trip& trip) {
                           no_show(trip);
                           trip.mutable_ended_at()->set_seconds(trip.ended_at().seconds() - 1);
                         }),
              HasSubstr("the fee isn't the tariff's"));
  EXPECT_THAT(FoundInEnd(pb::TRIP_STATE_ARRIVED,
                         [&](pb::Trip& trip) {
                           no_show(trip);
                           trip.mutable_cancellation()->set_by_driver_id("d-1");
                         }),
              HasSubstr("from ARRIVED for a no-show"));
  EXPECT_THAT(FoundInEnd(pb::TRIP_STATE_ARRIVED, [](pb::Trip&) {}),
              HasSubstr("is CANCELLED from ARRIVED"));
}

TEST(AuditorTest, ChecksWhoEndsATripWithTheRiderAboard) {
  const auto leave = [](pb::Trip& trip) {
    trip.mutable_cancellation()->set_by_rider_id("r-1");
    trip.mutable_cancellation()->set_reason(pb::CANCEL_REASON_DRIVER_LOST);
  };
  EXPECT_THAT(FoundInEnd(pb::TRIP_STATE_ABOARD, leave), HasSubstr("is CANCELLED from ABOARD"));
  EXPECT_EQ(FoundInEnd(pb::TRIP_STATE_ABOARD,
                       [&](pb::Trip& trip) {
                         leave(trip);
                         *trip.mutable_driver_lost_at() =
                             ToProto(kStart + std::chrono::minutes(14));
                       }),
            "");
  EXPECT_EQ(FoundInEnd(pb::TRIP_STATE_ABOARD,
                       [&](pb::Trip& trip) {
                         trip.mutable_cancellation()->set_by_service_id("ops");
                         trip.mutable_cancellation()->set_reason(pb::CANCEL_REASON_OTHER);
                       }),
            "");
}

TEST(AuditorTest, CheckWithNothingToCheckFails) {
  Auditor auditor;
  const Verdict& verdict = auditor.Judge();
  EXPECT_EQ(verdict.checked(), 0u);
  for (size_t i = 0; i < kCheckCount; ++i) {
    EXPECT_EQ(verdict.count(static_cast<Check>(i)).violations, 1u) << Name(static_cast<Check>(i));
  }
}

TEST(AuditorTest, UnreadableRecordIsAViolation) {
  RunHistory run;
  Auditor auditor;
  run.Feed(auditor);
  auditor.OnUnreadableRecord("UNAVAILABLE");
  EXPECT_FALSE(auditor.Judge().clean());
}

TEST(AuditorTest, AcceptsOpenTripsThatRidersSawOpen) {
  RunHistory run;
  run.log.pop_back();
  run.listed = {run.log.back().trip()};
  run.rider.states.pop_back();
  Auditor auditor;
  run.Feed(auditor);
  EXPECT_TRUE(auditor.Judge().clean());
}

TEST(AuditorTest, ToleratesRepeatedEvents) {
  RunHistory run;
  const auto again = run.log;
  run.log.insert(run.log.end(), again.begin(), again.end());
  Auditor auditor;
  run.Feed(auditor);
  EXPECT_TRUE(auditor.Judge().clean());
}

TEST(AuditorTest, OtherClientsOfTheMarketAreCheckedByTheLogAlone) {
  RunHistory run;
  Auditor auditor;
  const auto ours = run.log;
  for (auto event : ours) {
    event.mutable_trip()->set_trip_id("theirs");
    event.mutable_trip()->mutable_passenger()->set_rider_id("their-rider");
    if (event.trip().has_driver()) {
      event.mutable_trip()->mutable_driver()->set_driver_id("their-" +
                                                            event.trip().driver().driver_id());
    }
    event.set_sequence(event.sequence() + 1);
    run.log.push_back(event);
  }
  run.Feed(auditor);
  EXPECT_TRUE(auditor.Judge().clean());
}

TEST(IsTariffsSumTest, RoundsEachPartHalfUp) {
  const struct {
    std::int64_t per_km, length_m, distance_part, per_minute, seconds, time_part;
    bool is_sum;
  } cases[] = {
      {100, 5, 1, 0, 0, 0, true},       {100, 4, 0, 0, 0, 0, true},  {100, 5, 0, 0, 0, 0, false},
      {0, 0, 0, 30, 61, 31, true},      {0, 0, 0, 30, 60, 30, true}, {0, 0, 0, 30, 61, 30, false},
      {123, 1'500, 185, 0, 0, 0, true},
  };
  for (const auto& test : cases) {
    pb::Fare fare;
    fare.mutable_tariff()->set_base_minor(7);
    fare.mutable_tariff()->set_per_km_minor(test.per_km);
    fare.mutable_tariff()->set_per_minute_minor(test.per_minute);
    fare.set_length_m(static_cast<std::uint32_t>(test.length_m));
    fare.mutable_duration()->set_seconds(test.seconds);
    fare.set_distance_part_minor(test.distance_part);
    fare.set_time_part_minor(test.time_part);
    fare.mutable_total()->set_amount_minor(7 + test.distance_part + test.time_part);
    EXPECT_EQ(IsTariffsSum(fare), test.is_sum) << fare.ShortDebugString();
  }
}

TEST(IsTariffsSumTest, SurgeIsPartOfTheSum) {
  pb::Fare fare;
  fare.mutable_tariff()->set_base_minor(1'005);
  fare.mutable_tariff()->set_surge_percent(110);
  fare.mutable_total()->set_amount_minor(1'106);
  EXPECT_FALSE(IsTariffsSum(fare));
  fare.set_surge_minor(101);
  EXPECT_TRUE(IsTariffsSum(fare));
  fare.mutable_tariff()->clear_surge_percent();
  EXPECT_FALSE(IsTariffsSum(fare));
}

}  // namespace
}  // namespace ridestream::loadtest
