#include "services/trip/domain/state_machine.h"

#include <fmt/format.h>

#include <functional>
#include <map>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/proto_values/proto_values.h"
#include "libs/testing/status_matchers.h"
#include "services/trip/domain/names.h"
#include "services/trip/testing/trip_samples.h"

namespace ridestream::trip {
namespace {

using namespace testing;  // NOLINT: samples.
using ridestream::testing::IsOk;
using ridestream::testing::StatusIs;
using ::testing::ElementsAre;

constexpr Time kNow = ScaledClock::kAnchor;
constexpr v1::TripState kRequested = v1::TRIP_STATE_REQUESTED;
constexpr v1::TripState kAssigned = v1::TRIP_STATE_ASSIGNED;
constexpr v1::TripState kArrived = v1::TRIP_STATE_ARRIVED;
constexpr v1::TripState kAboard = v1::TRIP_STATE_ABOARD;
constexpr v1::TripState kCompleted = v1::TRIP_STATE_COMPLETED;
constexpr v1::TripState kCancelled = v1::TRIP_STATE_CANCELLED;
constexpr v1::TripState kUnserved = v1::TRIP_STATE_UNSERVED;
constexpr v1::TripState kAllStates[] = {kRequested, kAssigned,  kArrived, kAboard,
                                        kCompleted, kCancelled, kUnserved};

/// Trip "t" of rider "r" on the shortest way to `state`; driver "d" had it by offer "o" if any had.
v1::Trip TripIn(v1::TripState state) {
  absl::StatusOr<v1::Trip> begun =
      BeginTrip(SampleRequest("t", "r", "q"), SampleQuote("q", "r", kNow), kNow);
  EXPECT_THAT(begun, IsOk());
  v1::Trip trip = *std::move(begun);
  const auto apply = [&](const auto& effect) {
    EXPECT_THAT(effect, IsOk());
    EXPECT_EQ(*effect, Effect::kChanged);
  };
  if (state == kCancelled) apply(Apply(SampleCancel("t", "r"), kNow, trip));
  if (state == kUnserved) apply(Apply(GiveUpCommand{TripId("t")}, kNow, trip));
  if (!IsOpen(state) && state != kCompleted) return trip;
  if (state >= kAssigned) apply(Apply(SampleAssign("t", "d", "o"), DriverLoad{}, kNow, trip));
  for (const v1::TripState step : {kArrived, kAboard, kCompleted}) {
    if (state >= step) apply(Apply(SampleAdvance("t", "d", step), DriverLoad{}, 4, kNow, trip));
  }
  EXPECT_EQ(trip.state(), state);
  return trip;
}

/// What comes out of a command: the new state, "same", or the code of the refusal.
std::string Result(const absl::StatusOr<Effect>& effect, const v1::Trip& trip) {
  if (!effect.ok()) return absl::StatusCodeToString(effect.status().code());
  return *effect == Effect::kNone ? "same" : StateName(trip.state());
}

TEST(StateMachineTest, EachStateHandlesEachCommand) {
  using Run = std::function<absl::StatusOr<Effect>(v1::Trip&)>;
  const auto advance = [](const std::string& driver, v1::TripState to) -> Run {
    return [=](v1::Trip& trip) {
      return Apply(SampleAdvance("t", driver, to), DriverLoad{}, 4, kNow, trip);
    };
  };
  const auto assign = [](const std::string& driver, const std::string& offer) -> Run {
    return [=](v1::Trip& trip) {
      return Apply(SampleAssign("t", driver, offer), DriverLoad{}, kNow, trip);
    };
  };
  const auto plain = [](const auto& command) -> Run {
    return [=](v1::Trip& trip) { return Apply(command, kNow, trip); };
  };
  struct Row {
    std::string name;
    Run run;
    // In the order of kAllStates. FP, AB and PD are the refusals' codes, below.
    std::vector<std::string> expected;
  };
  const std::map<std::string, std::string> codes = {
      {"FP", "FAILED_PRECONDITION"}, {"AB", "ABORTED"}, {"PD", "PERMISSION_DENIED"}};
  const LatLng place{1, 2};
  const Row rows[] = {
      {"cancel",
       plain(SampleCancel("t", "r")),
       {"CANCELLED", "CANCELLED", "CANCELLED", "FP", "FP", "same", "FP"}},
      {"cancel by another rider",
       plain(SampleCancel("t", "x")),
       {"PD", "PD", "PD", "PD", "PD", "PD", "PD"}},
      {"cancel for a driver who isn't lost",
       plain(CancelCommand{.trip_id = TripId("t"),
                           .rider = RiderId("r"),
                           .reason = v1::CANCEL_REASON_DRIVER_LOST,
                           .comment = "",
                           .request_id = "c",
                           .service = ""}),
       {"FP", "FP", "FP", "FP", "FP", "same", "FP"}},
      {"cancel by a service",
       plain(CancelCommand{.trip_id = TripId("t"),
                           .rider = {},
                           .reason = v1::CANCEL_REASON_OTHER,
                           .comment = "",
                           .request_id = "c",
                           .service = "ops"}),
       {"CANCELLED", "CANCELLED", "CANCELLED", "CANCELLED", "FP", "FP", "FP"}},
      {"change destination",
       plain(SampleChange("t", "r", "c", place)),
       {"REQUESTED", "ASSIGNED", "ARRIVED", "ABOARD", "FP", "FP", "FP"}},
      {"change destination by another rider",
       plain(SampleChange("t", "x", "c", place)),
       {"PD", "PD", "PD", "PD", "PD", "PD", "PD"}},
      {"assign by the same offer",
       assign("d", "o"),
       {"ASSIGNED", "same", "same", "same", "same", "FP", "FP"}},
      {"assign by another offer",
       assign("d", "o2"),
       {"ASSIGNED", "AB", "AB", "AB", "FP", "FP", "FP"}},
      {"assign to another driver",
       assign("e", "o2"),
       {"ASSIGNED", "AB", "AB", "AB", "FP", "FP", "FP"}},
      {"assign to another driver by the same offer",
       assign("e", "o"),
       {"ASSIGNED", "AB", "AB", "AB", "FP", "FP", "FP"}},
      {"arrive", advance("d", kArrived), {"FP", "ARRIVED", "same", "same", "same", "FP", "FP"}},
      {"board", advance("d", kAboard), {"FP", "FP", "ABOARD", "same", "same", "FP", "FP"}},
      {"complete", advance("d", kCompleted), {"FP", "FP", "FP", "COMPLETED", "same", "FP", "FP"}},
      {"arrive as another driver",
       advance("e", kArrived),
       {"FP", "PD", "PD", "PD", "PD", "FP", "FP"}},
      {"no step at all",
       advance("d", v1::TRIP_STATE_UNSPECIFIED),
       {"FP", "FP", "FP", "FP", "FP", "FP", "FP"}},
      {"release",
       plain(ReleaseCommand{TripId("t"), DriverId("d")}),
       {"same", "REQUESTED", "REQUESTED", "FP", "same", "same", "same"}},
      {"release by another driver",
       plain(ReleaseCommand{TripId("t"), DriverId("e")}),
       {"same", "same", "same", "same", "same", "same", "same"}},
      {"release for a no-show",
       plain(ReleaseCommand{TripId("t"), DriverId("d"), v1::RELEASE_REASON_NO_SHOW}),
       {"same", "FP", "CANCELLED", "FP", "same", "same", "same"}},
      {"lose the driver",
       plain(DriverLostCommand{TripId("t"), DriverId("d"), true}),
       {"FP", "FP", "FP", "ABOARD", "FP", "FP", "FP"}},
      {"hear the driver",
       plain(DriverLostCommand{TripId("t"), DriverId("d"), false}),
       {"FP", "FP", "FP", "same", "FP", "FP", "FP"}},
      {"lose another driver",
       plain(DriverLostCommand{TripId("t"), DriverId("e"), true}),
       {"FP", "PD", "PD", "PD", "PD", "FP", "FP"}},
      {"give up",
       plain(GiveUpCommand{TripId("t")}),
       {"UNSERVED", "FP", "FP", "FP", "FP", "FP", "same"}},
  };
  for (const Row& row : rows) {
    ASSERT_EQ(row.expected.size(), std::size(kAllStates)) << row.name;
    for (size_t i = 0; i < std::size(kAllStates); ++i) {
      SCOPED_TRACE(fmt::format("{} in {}", row.name, StateName(kAllStates[i])));
      const v1::Trip before = TripIn(kAllStates[i]);
      v1::Trip trip = before;
      const absl::StatusOr<Effect> effect = row.run(trip);
      const auto code = codes.find(row.expected[i]);
      EXPECT_EQ(Result(effect, trip), code == codes.end() ? row.expected[i] : code->second);
      if (!effect.ok() || *effect == Effect::kNone) {
        EXPECT_EQ(trip.SerializeAsString(), before.SerializeAsString());
      }
      if (effect.status().code() == absl::StatusCode::kFailedPrecondition) {
        EXPECT_THAT(effect, StatusIs(absl::StatusCode::kFailedPrecondition,
                                     "trip t is " + StateName(kAllStates[i])));
      }
    }
  }
}

TEST(StateMachineTest, CancellationBeforePickUpKeepsTheDriverForTheRecord) {
  v1::Trip trip = TripIn(kArrived);
  ASSERT_THAT(Apply(SampleCancel("t", "r"), kNow, trip), IsOk());
  EXPECT_EQ(trip.driver().driver_id(), "d");
  EXPECT_EQ(trip.cancellation().by_rider_id(), "r");
  EXPECT_EQ(trip.cancellation().reason(), v1::CANCEL_REASON_CHANGED_MIND);
  EXPECT_EQ(trip.cancellation().comment(), "sorry");
  EXPECT_TRUE(trip.has_ended_at());
  // The offer by which it was assigned still gets its answer, and so does the step made before.
  EXPECT_EQ(*Apply(SampleAssign("t", "d", "o"), DriverLoad{}, kNow, trip), Effect::kNone);
  EXPECT_EQ(*Apply(SampleAdvance("t", "d", kArrived), DriverLoad{}, 4, kNow, trip), Effect::kNone);
}

TEST(StateMachineTest, ARiderMayEndTheRideOnlyWhileTheDriverIsLost) {
  v1::Trip trip = TripIn(kAboard);
  const auto report = [&](bool lost) {
    return Apply(DriverLostCommand{TripId("t"), DriverId("d"), lost}, kNow, trip);
  };
  const auto leave = [&] { return Apply(SampleCancel("t", "r"), kNow, trip); };
  EXPECT_THAT(leave(), StatusIs(absl::StatusCode::kFailedPrecondition, "while its driver is lost"));
  EXPECT_THAT(report(true), IsOk());
  EXPECT_EQ(FromProto(trip.driver_lost_at()), kNow);
  EXPECT_EQ(report(true).value(), Effect::kNone);
  EXPECT_THAT(report(false), IsOk());
  EXPECT_FALSE(trip.has_driver_lost_at());
  EXPECT_THAT(leave(), StatusIs(absl::StatusCode::kFailedPrecondition, "while its driver is lost"));
  EXPECT_THAT(report(true), IsOk());
  EXPECT_THAT(leave(), IsOk());
  EXPECT_EQ(trip.state(), kCancelled);
  EXPECT_EQ(trip.cancellation().by_rider_id(), "r");
  EXPECT_FALSE(trip.cancellation().has_fee());
}

TEST(StateMachineTest, ALostDriverWhoComesBackCompletesTheTrip) {
  v1::Trip trip = TripIn(kAboard);
  ASSERT_THAT(Apply(DriverLostCommand{TripId("t"), DriverId("d"), true}, kNow, trip), IsOk());
  EXPECT_THAT(Apply(SampleAdvance("t", "d", kCompleted), DriverLoad{}, 4, kNow, trip), IsOk());
  EXPECT_FALSE(trip.has_driver_lost_at());
}

TEST(StateMachineTest, ImplausibleStepsAreRecorded) {
  v1::Trip trip = TripIn(kAssigned);
  const auto advance = [&](v1::TripState to, v1::StepPlausibility plausibility) {
    AdvanceCommand command = SampleAdvance("t", "d", to);
    command.plausibility = plausibility;
    command.distance_m = 1'700;
    return Apply(command, DriverLoad{}, 4, kNow, trip);
  };
  for (int said = 0; said < 2; ++said) {
    EXPECT_THAT(advance(kArrived, v1::STEP_PLAUSIBILITY_FAR_FROM_STOP), IsOk());
    ASSERT_EQ(trip.implausible_steps_size(), 1) << "a repeat is no step";
  }
  EXPECT_EQ(trip.implausible_steps(0).driver_id(), "d");
  EXPECT_EQ(trip.implausible_steps(0).to(), kArrived);
  EXPECT_EQ(trip.implausible_steps(0).plausibility(), v1::STEP_PLAUSIBILITY_FAR_FROM_STOP);
  EXPECT_EQ(trip.implausible_steps(0).distance_m(), 1'700u);
  EXPECT_THAT(advance(kAboard, v1::STEP_PLAUSIBILITY_UNCHECKED), IsOk());
  EXPECT_EQ(trip.implausible_steps_size(), 1);
  EXPECT_THAT(advance(kCompleted, v1::STEP_PLAUSIBILITY_TOO_SOON), IsOk());
  ASSERT_EQ(trip.implausible_steps_size(), 2);
  EXPECT_EQ(trip.implausible_steps(1).plausibility(), v1::STEP_PLAUSIBILITY_TOO_SOON);
}

TEST(StateMachineTest, ANoShowOwesTheTariffsFeeOnceTheDriverHasWaited) {
  const Duration waits = FromProto(SampleTariff().no_show_after());
  for (const Duration waited : {Duration(0), waits - Duration(1), waits}) {
    v1::Trip trip = TripIn(kArrived);
    const ReleaseCommand release{TripId("t"), DriverId("d"), v1::RELEASE_REASON_NO_SHOW, "nobody"};
    ASSERT_THAT(Apply(release, kNow + waited, trip), IsOk());
    EXPECT_EQ(trip.state(), kCancelled);
    EXPECT_EQ(trip.cancellation().by_driver_id(), "d");
    EXPECT_EQ(trip.cancellation().reason(), v1::CANCEL_REASON_NO_SHOW);
    EXPECT_EQ(trip.cancellation().comment(), "nobody");
    EXPECT_EQ(trip.driver().driver_id(), "d");
    EXPECT_EQ(trip.cancellation().has_fee(), waited >= waits);
    if (waited >= waits) {
      EXPECT_EQ(trip.cancellation().fee().amount_minor(), SampleTariff().no_show_fee_minor());
      EXPECT_EQ(trip.cancellation().fee().currency_code(), "USD");
    }
    EXPECT_THAT(Apply(SampleCancel("t", "r"), kNow, trip),
                StatusIs(absl::StatusCode::kFailedPrecondition, "trip t is CANCELLED"))
        << "it isn't the rider's cancellation";
  }
}

TEST(StateMachineTest, ReasonOfAReleaseIsRecorded) {
  v1::Trip trip = TripIn(kAssigned);
  const ReleaseCommand release{TripId("t"), DriverId("d"), v1::RELEASE_REASON_DRIVER_GAVE_UP,
                               "flat tyre"};
  ASSERT_THAT(Apply(release, kNow, trip), IsOk());
  EXPECT_EQ(trip.last_release().driver_id(), "d");
  EXPECT_EQ(trip.last_release().reason(), v1::RELEASE_REASON_DRIVER_GAVE_UP);
  EXPECT_EQ(trip.last_release().note(), "flat tyre");
}

TEST(StateMachineTest, ReleasedDriverIsRememberedAndDoesNotGetTheTripAgain) {
  v1::Trip trip = TripIn(kArrived);
  ASSERT_THAT(Apply(ReleaseCommand{TripId("t"), DriverId("d")}, kNow, trip), IsOk());
  EXPECT_FALSE(trip.has_driver());
  EXPECT_EQ(trip.offer_id(), "");
  EXPECT_FALSE(trip.has_assigned_at());
  EXPECT_FALSE(trip.has_arrived_at());
  EXPECT_THAT(trip.released_driver_ids(), ElementsAre("d"));
  EXPECT_THAT(Apply(SampleAssign("t", "d", "o"), DriverLoad{}, kNow, trip),
              StatusIs(absl::StatusCode::kAborted, "the offer has ended"));
  EXPECT_THAT(Apply(SampleAssign("t", "d", "o3"), DriverLoad{}, kNow, trip),
              StatusIs(absl::StatusCode::kAborted, "the offer has ended"));
  EXPECT_EQ(*Apply(SampleAssign("t", "e", "o4"), DriverLoad{}, kNow, trip), Effect::kChanged);
}

TEST(StateMachineTest, RidersFitTheSeats) {
  struct Case {
    std::uint32_t party_size, open_riders, seats;
    bool fits;
  };
  for (const Case& c : {Case{1, 0, 1, true}, Case{2, 0, 1, false}, Case{2, 2, 4, true},
                        Case{3, 2, 4, false}, Case{8, 0, 8, true}}) {
    SCOPED_TRACE(fmt::format("{} riders, {} open, {} seats", c.party_size, c.open_riders, c.seats));
    v1::Trip trip = TripIn(kRequested);
    trip.mutable_passenger()->set_party_size(c.party_size);
    const auto assigned = Apply(SampleAssign("t", "d", "o", c.seats),
                                DriverLoad{.open_riders = c.open_riders}, kNow, trip);
    v1::Trip arrived = TripIn(kArrived);
    arrived.mutable_passenger()->set_party_size(c.party_size);
    const auto aboard = Apply(SampleAdvance("t", "d", kAboard),
                              DriverLoad{.aboard_riders = c.open_riders}, c.seats, kNow, arrived);
    if (c.fits) {
      EXPECT_THAT(assigned, IsOk());
      EXPECT_THAT(aboard, IsOk());
    } else {
      EXPECT_THAT(assigned, StatusIs(absl::StatusCode::kFailedPrecondition, "don't fit"));
      EXPECT_THAT(aboard, StatusIs(absl::StatusCode::kFailedPrecondition, "don't fit"));
    }
  }
}

TEST(StateMachineTest, QuoteIsGoodUntilTheInstantItExpires) {
  const Quote quote = SampleQuote("q", "r", kNow);
  EXPECT_THAT(BeginTrip(SampleRequest("t", "r", "q"), quote, kNow), IsOk());
  EXPECT_THAT(BeginTrip(SampleRequest("t", "r", "q"), quote, kNow + Duration(1)),
              StatusIs(absl::StatusCode::kFailedPrecondition, "quote q has expired"));
}

TEST(StateMachineTest, ChangedDestinationChangesTheFareAndNothingElse) {
  v1::Trip trip = TripIn(kAboard);
  v1::Trip expected = trip;
  const ChangeDestinationCommand change = SampleChange("t", "r", "c", {1, 2});
  ASSERT_THAT(Apply(change, kNow, trip), IsOk());
  *expected.mutable_dropoff() = ToProto(LatLng{1, 2});
  *expected.mutable_fare() = change.fare;
  EXPECT_EQ(trip.SerializeAsString(), expected.SerializeAsString());
}

/// Trip "t" of rider "r", who shares, waiting or ASSIGNED to "d" by offer "o".
v1::Trip SharedTrip(bool assigned) {
  absl::StatusOr<v1::Trip> trip =
      BeginTrip(SampleRequest("t", "r", "q"), SampleSharedQuote("q", "r", kNow), kNow);
  EXPECT_THAT(trip, IsOk());
  if (assigned) {
    EXPECT_THAT(Apply(SampleAssign("t", "d", "o"), DriverLoad{}, kNow, *trip), IsOk());
  }
  return *std::move(trip);
}

AssignCommand SampleReassign(const std::string& from, const std::string& to,
                             const std::string& offer) {
  AssignCommand command = SampleAssign("t", to, offer);
  command.from = DriverId(from);
  return command;
}

TEST(StateMachineTest, PromiseOfASharedRideCountsFromTheRequest) {
  const v1::Trip trip = SharedTrip(false);
  // Ten minutes direct: half of that is more than the shortest detour.
  EXPECT_EQ(FromProto(trip.promise().latest_pickup_at()), kNow + std::chrono::minutes(8));
  EXPECT_EQ(FromProto(trip.promise().latest_dropoff_at()), kNow + std::chrono::minutes(8 + 10 + 5));
  EXPECT_EQ(MakePromise({}, std::chrono::minutes(1)).dropoff_within().seconds(), 60 * (8 + 1 + 4));
}

TEST(StateMachineTest, TermsOutOfRangeAreRefused) {
  EXPECT_THAT(ValidateTerms({}), IsOk());
  EXPECT_THAT(ValidateTerms({.pickup_within = std::chrono::minutes(-1)}),
              StatusIs(absl::StatusCode::kInvalidArgument, "pickup_within"));
  EXPECT_THAT(ValidateTerms({.detour_percent = 1'001}),
              StatusIs(absl::StatusCode::kInvalidArgument, "detour_percent"));
  EXPECT_THAT(ValidateTerms({.min_detour = std::chrono::hours(25)}),
              StatusIs(absl::StatusCode::kInvalidArgument, "min_detour"));
}

TEST(StateMachineTest, RidersOfACarAllShareOrRideAlone) {
  const DriverLoad sharers{.open_riders = 4, .sharing_riders = 4};
  const DriverLoad others{.open_riders = 1};
  v1::Trip shared = SharedTrip(false);
  EXPECT_THAT(Apply(SampleAssign("t", "d", "o"), others, kNow, shared),
              StatusIs(absl::StatusCode::kFailedPrecondition, "its rider shares"));
  v1::Trip alone = TripIn(kRequested);
  EXPECT_THAT(Apply(SampleAssign("t", "d", "o"), sharers, kNow, alone),
              StatusIs(absl::StatusCode::kFailedPrecondition, "its rider doesn't share"));
  // One after the other: four seats are taken by riders who will have left by then.
  EXPECT_THAT(Apply(SampleAssign("t", "d", "o"), sharers, kNow, shared), IsOk());
}

TEST(StateMachineTest, ASharedTripIsGivenToABetterDriverInOneStep) {
  v1::Trip trip = SharedTrip(true);
  ASSERT_THAT(Apply(SampleReassign("d", "e", "o2"), DriverLoad{}, kNow, trip), IsOk());
  EXPECT_EQ(trip.state(), kAssigned);
  EXPECT_EQ(trip.driver().driver_id(), "e");
  EXPECT_EQ(trip.offer_id(), "o2");
  EXPECT_THAT(trip.released_driver_ids(), ElementsAre("d"));
  EXPECT_EQ(*Apply(SampleReassign("d", "e", "o2"), DriverLoad{}, kNow, trip), Effect::kNone);
  EXPECT_THAT(Apply(SampleReassign("d", "f", "o3"), DriverLoad{}, kNow, trip),
              StatusIs(absl::StatusCode::kAborted, "is no longer driver d's"));
  EXPECT_THAT(Apply(SampleReassign("e", "d", "o4"), DriverLoad{}, kNow, trip),
              StatusIs(absl::StatusCode::kAborted, "was released"));
  EXPECT_THAT(Apply(SampleReassign("e", "e", "o5"), DriverLoad{}, kNow, trip),
              StatusIs(absl::StatusCode::kInvalidArgument, "from_driver_id"));
}

TEST(StateMachineTest, OnlyASharedTripWhoseDriverIsOnTheWayIsReassigned) {
  v1::Trip alone = TripIn(kAssigned);
  EXPECT_THAT(Apply(SampleReassign("d", "e", "o2"), DriverLoad{}, kNow, alone),
              StatusIs(absl::StatusCode::kFailedPrecondition, "only a trip that is shared"));
  v1::Trip arrived = SharedTrip(true);
  ASSERT_THAT(Apply(SampleAdvance("t", "d", kArrived), DriverLoad{}, 4, kNow, arrived), IsOk());
  EXPECT_THAT(Apply(SampleReassign("d", "e", "o2"), DriverLoad{}, kNow, arrived),
              StatusIs(absl::StatusCode::kFailedPrecondition, "its driver has arrived"));
}

TEST(StateMachineTest, TheDestinationOfASharedRideCannotBeChanged) {
  v1::Trip trip = SharedTrip(true);
  EXPECT_THAT(Apply(SampleChange("t", "r", "c", {1, 2}), kNow, trip),
              StatusIs(absl::StatusCode::kFailedPrecondition, "it is shared"));
}

}  // namespace
}  // namespace ridestream::trip
