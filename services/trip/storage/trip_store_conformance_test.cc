// What every TripStore must do, run against each of them.

#include <fmt/format.h>

#include <future>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/postgres/testing/postgres_server.h"
#include "libs/proto_values/proto_values.h"
#include "libs/rpc/stale_term.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_folder.h"
#include "services/trip/storage/memory_trip_store.h"
#include "services/trip/storage/postgres_trip_store.h"
#include "services/trip/storage/sqlite_trip_store.h"
#include "services/trip/testing/store_calls.h"
#include "services/trip/testing/trip_samples.h"

namespace ridestream::trip {
namespace {

using namespace testing;  // NOLINT: samples.
using ridestream::testing::IsOk;
using ridestream::testing::StatusIs;
using ::testing::ElementsAre;

/// One implementation under test, with the listener's record of what was published.
class StoreFactory {
 public:
  virtual ~StoreFactory() = default;
  virtual std::unique_ptr<TripStore> Make(const Clock& clock, TripStore::Listener listener) = 0;
};

class MemoryFactory final : public StoreFactory {
  std::unique_ptr<TripStore> Make(const Clock& clock, TripStore::Listener listener) override {
    return std::make_unique<MemoryTripStore>(clock, std::move(listener));
  }
};

class SqliteFactory final : public StoreFactory {
  std::unique_ptr<TripStore> Make(const Clock& clock, TripStore::Listener listener) override {
    absl::StatusOr<std::unique_ptr<SqliteTripStore>> store = SqliteTripStore::Open(
        {.path = folder_.File("trips.db"), .clock = clock, .listener = std::move(listener)});
    EXPECT_THAT(store, IsOk());
    return *std::move(store);
  }
  ridestream::testing::TempFolder folder_;
};

class PostgresFactory final : public StoreFactory {
 public:
  PostgresFactory() {
    auto server = postgres::testing::PostgresServer::Start();
    EXPECT_THAT(server, IsOk());
    server_ = *std::move(server);
  }
  std::unique_ptr<TripStore> Make(const Clock& clock, TripStore::Listener listener) override {
    absl::StatusOr<std::unique_ptr<PostgresTripStore>> store = PostgresTripStore::Open(
        {.url = server_->Url(), .clock = clock, .listener = std::move(listener)});
    EXPECT_THAT(store, IsOk());
    return *std::move(store);
  }

 private:
  std::unique_ptr<postgres::testing::PostgresServer> server_;
};

struct Implementation {
  std::string name;
  std::unique_ptr<StoreFactory> (*make)();
};

class TripStoreTest : public ::testing::TestWithParam<Implementation> {
 protected:
  TripStoreTest()
      : factory_(GetParam().make()),
        store_(factory_->Make(clock_, [this](const std::vector<EventPtr>& events) {
          MutexLock lock(mu_);
          published_.insert(published_.end(), events.begin(), events.end());
        })) {}

  Time InFiveMinutes() const { return clock_.Now() + std::chrono::minutes(5); }
  absl::StatusOr<v1::Trip> Do(Command command) { return Await(*store_, std::move(command)); }

  /// A quote and a request for it: trip `id` of rider `rider`.
  v1::Trip Request(const std::string& id, const std::string& rider, std::uint32_t party_size = 1,
                   const std::string& market = kMarket) {
    EXPECT_THAT(Await(*store_, SampleQuote("q-" + id, rider, InFiveMinutes(), party_size, market)),
                IsOk());
    absl::StatusOr<v1::Trip> trip = Do(SampleRequest(id, rider, "q-" + id));
    EXPECT_THAT(trip, IsOk());
    return *trip;
  }

  void Complete(const std::string& id, const std::string& driver) {
    ASSERT_THAT(Do(SampleAssign(id, driver, "o-" + id)), IsOk());
    for (const auto step :
         {v1::TRIP_STATE_ARRIVED, v1::TRIP_STATE_ABOARD, v1::TRIP_STATE_COMPLETED}) {
      ASSERT_THAT(Do(SampleAdvance(id, driver, step)), IsOk());
    }
  }

  std::vector<v1::TripEvent> Log(std::uint64_t after = 0) {
    absl::StatusOr<LogPage> page = store_->ReadLog(after, {kMarket}, 1'000'000);
    EXPECT_THAT(page, IsOk());
    return page->events;
  }

  ManualClock clock_;
  Mutex mu_;
  std::vector<EventPtr> published_ ABSL_GUARDED_BY(mu_);
  std::unique_ptr<StoreFactory> factory_;
  std::unique_ptr<TripStore> store_;
};

TEST_P(TripStoreTest, RideFromQuoteToReceiptIsReadBackAndLogged) {
  Request("t", "r");
  Complete("t", "d");
  absl::StatusOr<v1::Trip> trip = store_->GetTrip(TripId("t"));
  ASSERT_THAT(trip, IsOk());
  EXPECT_EQ(trip->state(), v1::TRIP_STATE_COMPLETED);
  EXPECT_EQ(trip->version(), 5u);
  EXPECT_EQ(trip->passenger().name(), "Grace");
  EXPECT_EQ(trip->fare().total().amount_minor(), 1'300);

  const std::vector<v1::TripEvent> log = Log();
  ASSERT_EQ(log.size(), 5u);
  v1::TripState previous = v1::TRIP_STATE_UNSPECIFIED;
  for (size_t i = 0; i < log.size(); ++i) {
    EXPECT_EQ(log[i].sequence(), i + 1);
    EXPECT_EQ(log[i].trip().version(), i + 1);
    EXPECT_EQ(log[i].previous_state(), previous);
    previous = log[i].trip().state();
  }
  EXPECT_EQ(log.back().trip().SerializeAsString(), trip->SerializeAsString());
  EXPECT_EQ(store_->LastSequence(), 5u);
  MutexLock lock(mu_);
  ASSERT_EQ(published_.size(), 5u);
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(published_[i]->SerializeAsString(), log[i].SerializeAsString());
  }
}

TEST_P(TripStoreTest, EachEventOfATripCarriesTheTraceOfItsRequest) {
  const std::string traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  ASSERT_THAT(Await(*store_, SampleQuote("q-t", "r", InFiveMinutes(), 1, kMarket)), IsOk());
  RequestCommand request = SampleRequest("t", "r", "q-t");
  request.traceparent = traceparent;
  ASSERT_THAT(Do(request), IsOk());
  Complete("t", "d");
  const std::vector<v1::TripEvent> log = Log();
  ASSERT_EQ(log.size(), 5u);
  for (const v1::TripEvent& event : log) EXPECT_EQ(event.trip().traceparent(), traceparent);
}

TEST_P(TripStoreTest, RepeatedRequestGetsTheSameTripAsItIsNow) {
  Request("t", "r");
  RequestCommand repeat = SampleRequest("t", "r", "q-t");
  repeat.trip_id = TripId("never-made");
  EXPECT_EQ(Do(repeat)->trip_id(), "t");
  Complete("t", "d");
  clock_.Advance(std::chrono::hours(3));  // The quote has expired meanwhile.
  absl::StatusOr<v1::Trip> again = Do(repeat);
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->trip_id(), "t");
  EXPECT_EQ(again->state(), v1::TRIP_STATE_COMPLETED);
  EXPECT_THAT(store_->GetTrip(TripId("never-made")), StatusIs(absl::StatusCode::kNotFound, ""));
}

TEST_P(TripStoreTest, RequestIdWithAnotherQuoteAlreadyExists) {
  Request("t", "r");
  ASSERT_THAT(Await(*store_, SampleQuote("q2", "r", InFiveMinutes())), IsOk());
  RequestCommand other = SampleRequest("t", "r", "q2");
  other.trip_id = TripId("t2");
  EXPECT_THAT(Do(other), StatusIs(absl::StatusCode::kAlreadyExists, "request_id"));
  // Another rider's id of the same name is another's.
  ASSERT_THAT(Await(*store_, SampleQuote("q3", "r3", InFiveMinutes())), IsOk());
  RequestCommand foreign = SampleRequest("t", "r3", "q3");
  foreign.trip_id = TripId("t3");
  EXPECT_EQ(Do(foreign)->trip_id(), "t3");
}

TEST_P(TripStoreTest, SecondOpenTripOfARiderIsRefusedAndNamesTheFirst) {
  Request("t", "r");
  ASSERT_THAT(Await(*store_, SampleQuote("q2", "r", InFiveMinutes())), IsOk());
  const RequestCommand second = SampleRequest("t2", "r", "q2");
  EXPECT_THAT(Do(second),
              StatusIs(absl::StatusCode::kFailedPrecondition, "rider r has an open trip: t"));
  ASSERT_THAT(Do(SampleCancel("t", "r")), IsOk());
  EXPECT_THAT(Do(second), IsOk());
}

TEST_P(TripStoreTest, QuoteMustBeTheRidersOwnAndFresh) {
  ASSERT_THAT(Await(*store_, SampleQuote("q", "r", clock_.Now())), IsOk());
  EXPECT_THAT(Do(SampleRequest("t", "someone-else", "q")),
              StatusIs(absl::StatusCode::kNotFound, "no quote q"));
  EXPECT_THAT(Do(SampleRequest("t", "r", "unknown")),
              StatusIs(absl::StatusCode::kNotFound, "no quote unknown"));
  clock_.Advance(Duration(1));
  EXPECT_THAT(Do(SampleRequest("t", "r", "q")),
              StatusIs(absl::StatusCode::kFailedPrecondition, "quote q has expired"));
  EXPECT_EQ(store_->LastSequence(), 0u);
}

TEST_P(TripStoreTest, UnknownTripIsNotFoundByEachCommand) {
  for (const Command& command : std::vector<Command>{
           SampleCancel("t", "r"), SampleChange("t", "r", "c", {1, 2}), SampleAssign("t", "d", "o"),
           SampleAdvance("t", "d", v1::TRIP_STATE_ARRIVED),
           ReleaseCommand{TripId("t"), DriverId("d")}, GiveUpCommand{TripId("t")},
           DriverLostCommand{TripId("t"), DriverId("d")}}) {
    EXPECT_THAT(Do(command), StatusIs(absl::StatusCode::kNotFound, "there is no trip t"));
  }
}

TEST_P(TripStoreTest, OneOfTwoConcurrentAssignmentsWins) {
  constexpr int kTrips = 20;
  for (int i = 0; i < kTrips; ++i) {
    Request(fmt::format("t{}", i), fmt::format("r{}", i));
  }
  const auto assign_all = [this](const std::string& driver) {
    std::vector<absl::StatusOr<v1::Trip>> answers;
    for (int i = 0; i < kTrips; ++i) {
      answers.push_back(Do(SampleAssign(fmt::format("t{}", i), fmt::format("{}{}", driver, i),
                                        fmt::format("o-{}{}", driver, i))));
    }
    return answers;
  };
  auto first = std::async(std::launch::async, assign_all, "a");
  auto second = std::async(std::launch::async, assign_all, "b");
  const auto first_answers = first.get();
  const auto second_answers = second.get();
  for (size_t i = 0; i < kTrips; ++i) {
    const auto& winner = first_answers[i].ok() ? first_answers[i] : second_answers[i];
    const auto& loser = first_answers[i].ok() ? second_answers[i] : first_answers[i];
    ASSERT_THAT(winner, IsOk());
    EXPECT_THAT(loser, StatusIs(absl::StatusCode::kAborted, "already taken"));
    EXPECT_EQ(store_->GetTrip(TripId(winner->trip_id()))->driver().driver_id(),
              winner->driver().driver_id());
  }
}

TEST_P(TripStoreTest, DriverTakesMoreTripsUntilTheSeatsAreTaken) {
  Request("t1", "r1", 2);
  Request("t2", "r2", 2);
  Request("t3", "r3", 1);
  ASSERT_THAT(Do(SampleAssign("t1", "d", "o1")), IsOk());
  ASSERT_THAT(Do(SampleAssign("t2", "d", "o2")), IsOk());
  EXPECT_THAT(Do(SampleAssign("t3", "d", "o3")),
              StatusIs(absl::StatusCode::kFailedPrecondition, "4 seats of which 4 are taken"));
  ASSERT_THAT(Do(SampleCancel("t1", "r1")), IsOk());
  EXPECT_THAT(Do(SampleAssign("t3", "d", "o3")), IsOk());
}

TEST_P(TripStoreTest, RidersAboardNeverExceedTheSeats) {
  Request("t1", "r1", 2);
  Request("t2", "r2", 2);
  ASSERT_THAT(Do(SampleAssign("t1", "d", "o1", 4)), IsOk());
  ASSERT_THAT(Do(SampleAssign("t2", "d", "o2", 4)), IsOk());
  for (const char* trip : {"t1", "t2"}) {
    ASSERT_THAT(Do(SampleAdvance(trip, "d", v1::TRIP_STATE_ARRIVED)), IsOk());
    ASSERT_THAT(Do(SampleAdvance(trip, "d", v1::TRIP_STATE_ABOARD)), IsOk());
  }
  // A car that has shrunk since: the second trip would fit by itself, but not beside the first.
  Request("t3", "r3", 1);
  EXPECT_THAT(Do(SampleAssign("t3", "d", "o3", 4)),
              StatusIs(absl::StatusCode::kFailedPrecondition, "don't fit"));
}

TEST_P(TripStoreTest, ReleasedTripGoesToAnotherDriverAndTheOldOfferIsOver) {
  Request("t", "r");
  ASSERT_THAT(Do(SampleAssign("t", "d", "o")), IsOk());
  ASSERT_THAT(Do(SampleAssign("t", "d", "o")), IsOk());
  const ReleaseCommand release{TripId("t"), DriverId("d")};
  EXPECT_EQ(Do(release)->state(), v1::TRIP_STATE_REQUESTED);
  EXPECT_EQ(Do(release)->version(), 3u);
  EXPECT_THAT(Do(SampleAssign("t", "d", "o")), StatusIs(absl::StatusCode::kAborted, "has ended"));
  EXPECT_EQ(Do(SampleAssign("t", "e", "o2"))->driver().driver_id(), "e");
  EXPECT_EQ(Do(release)->driver().driver_id(), "e");
}

TEST_P(TripStoreTest, ChangeOfDestinationIsMadeOncePerRequestId) {
  Request("t", "r");
  absl::StatusOr<v1::Trip> changed = Do(SampleChange("t", "r", "c1", {10, 20}));
  ASSERT_THAT(changed, IsOk());
  EXPECT_EQ(changed->version(), 2u);
  EXPECT_EQ(changed->fare().length_m(), 9'000u);
  ASSERT_THAT(Do(SampleChange("t", "r", "c2", {30, 40})), IsOk());
  // The answer to c1 was lost and is asked for again: it must not undo c2.
  absl::StatusOr<v1::Trip> repeated = Do(SampleChange("t", "r", "c1", {10, 20}));
  ASSERT_THAT(repeated, IsOk());
  EXPECT_EQ(repeated->version(), 3u);
  EXPECT_EQ(FromProto(repeated->dropoff()), (LatLng{30, 40}));
  EXPECT_THAT(Do(SampleChange("t", "r", "c1", {50, 60})),
              StatusIs(absl::StatusCode::kAlreadyExists, "request_id"));
  EXPECT_THAT(Do(SampleChange("t", "other", "c1", {10, 20})),
              StatusIs(absl::StatusCode::kPermissionDenied, "another rider's"));
  Complete("t", "d");
  EXPECT_THAT(Do(SampleChange("t", "r", "c2", {30, 40})), IsOk());
  EXPECT_THAT(Do(SampleChange("t", "r", "c3", {30, 40})),
              StatusIs(absl::StatusCode::kFailedPrecondition, "COMPLETED"));
}

TEST_P(TripStoreTest, AQuoteServesOneTrip) {
  Request("t", "r");
  ASSERT_THAT(Do(SampleCancel("t", "r")), IsOk());
  EXPECT_THAT(Do(SampleRequest("t2", "r", "q-t")),
              StatusIs(absl::StatusCode::kFailedPrecondition, "quote q-t has served trip t"));
  EXPECT_THAT(store_->GetTrip(TripId("t2")), StatusIs(absl::StatusCode::kNotFound, ""));
  EXPECT_EQ(Do(SampleRequest("t", "r", "q-t"))->state(), v1::TRIP_STATE_CANCELLED) << "a repeat";
}

TEST_P(TripStoreTest, ARequestIdWithAnotherNameOrNoteAlreadyExists) {
  Request("t", "r");
  RequestCommand other = SampleRequest("t", "r", "q-t");
  other.rider_name = "Ada";
  EXPECT_THAT(Do(other), StatusIs(absl::StatusCode::kAlreadyExists, "with another name"));
  other = SampleRequest("t", "r", "q-t");
  other.note = "red coat";
  EXPECT_THAT(Do(other), StatusIs(absl::StatusCode::kAlreadyExists, "with another note"));
}

TEST_P(TripStoreTest, CommandIdCannotBeReusedForAnotherCommandOfItsKind) {
  Request("t1", "r");
  ASSERT_THAT(Do(SampleChange("t1", "r", "one", {10, 20})), IsOk());
  CancelCommand cancel = SampleCancel("t1", "r");
  cancel.request_id = "one";
  ASSERT_THAT(Do(cancel), IsOk()) << "another kind of command has ids of its own";
  EXPECT_THAT(Do(cancel), IsOk()) << "a repeat";
  cancel.comment = "another";
  EXPECT_THAT(Do(cancel), StatusIs(absl::StatusCode::kAlreadyExists, "with different content"));

  Request("t2", "r");
  const absl::StatusCode used = absl::StatusCode::kAlreadyExists;
  cancel.trip_id = TripId("t2");
  EXPECT_THAT(Do(cancel), StatusIs(used, "request_id: 'one' was used for trip t1"));
  EXPECT_THAT(Do(SampleChange("t2", "r", "one", {10, 20})), StatusIs(used, "was used for trip t1"));
  EXPECT_EQ(store_->GetTrip(TripId("t2"))->version(), 1u);

  Request("t3", "r3");
  CancelCommand foreign = SampleCancel("t3", "r3");
  foreign.request_id = "one";
  EXPECT_THAT(Do(foreign), IsOk()) << "another rider's id is another";
}

TEST_P(TripStoreTest, AnOfferIsForOneTripAndOneDriver) {
  Request("t1", "r1");
  Request("t2", "r2");
  ASSERT_THAT(Do(SampleAssign("t1", "d", "o")), IsOk());
  const absl::StatusCode used = absl::StatusCode::kAlreadyExists;
  EXPECT_THAT(Do(SampleAssign("t2", "d", "o")),
              StatusIs(used, "offer_id: 'o' was used for trip t1"));
  EXPECT_THAT(Do(SampleAssign("t1", "e", "o")), StatusIs(used, "with different content"));
  EXPECT_EQ(store_->GetTrip(TripId("t2"))->state(), v1::TRIP_STATE_REQUESTED);
}

TEST_P(TripStoreTest, AServiceEndsATripWhoseRiderIsAboardAndItsRiderMayAskAgain) {
  Request("t", "r");
  ASSERT_THAT(Do(SampleAssign("t", "d", "o")), IsOk());
  ASSERT_THAT(Do(SampleAdvance("t", "d", v1::TRIP_STATE_ARRIVED)), IsOk());
  ASSERT_THAT(Do(SampleAdvance("t", "d", v1::TRIP_STATE_ABOARD)), IsOk());
  ASSERT_THAT(Do(DriverLostCommand{TripId("t"), DriverId("d")}), IsOk());
  EXPECT_EQ(Log().back().change(), v1::TRIP_CHANGE_DRIVER_LOST);
  CancelCommand cancel = SampleCancel("t", "");
  cancel.service = "ops";
  EXPECT_EQ(Do(cancel)->cancellation().by_service_id(), "ops");
  EXPECT_EQ(Log().back().change(), v1::TRIP_CHANGE_STATE);
  Request("t2", "r");
}

TEST_P(TripStoreTest, RefusedCommandsLeaveNoHoleInTheLog) {
  Request("t", "r");
  EXPECT_FALSE(Do(SampleAdvance("t", "d", v1::TRIP_STATE_ABOARD)).ok());
  EXPECT_FALSE(Do(SampleCancel("t", "other")).ok());
  ASSERT_THAT(Do(SampleCancel("t", "r")), IsOk());
  const std::vector<v1::TripEvent> log = Log();
  ASSERT_EQ(log.size(), 2u);
  EXPECT_EQ(log[1].sequence(), 2u);
}

TEST_P(TripStoreTest, LogIsReadInPagesOfTheMarketsAskedFor) {
  for (int i = 0; i < 6; ++i) {
    Request(fmt::format("t{}", i), fmt::format("r{}", i), 1, i % 2 == 0 ? kMarket : "other");
  }
  absl::StatusOr<LogPage> page = store_->ReadLog(1, {kMarket}, 3);
  ASSERT_THAT(page, IsOk());
  EXPECT_EQ(page->last_sequence, 4u);
  ASSERT_EQ(page->events.size(), 1u);
  EXPECT_EQ(page->events[0].sequence(), 3u);
  page = store_->ReadLog(4, {kMarket, "other"}, 100);
  ASSERT_EQ(page->events.size(), 2u);
  EXPECT_EQ(page->last_sequence, 6u);
  page = store_->ReadLog(6, {kMarket}, 100);
  EXPECT_TRUE(page->events.empty());
  EXPECT_EQ(page->last_sequence, 6u);
}

TEST_P(TripStoreTest, OldestOpenIsTheFirstEventOfAnOpenTripOfTheMarkets) {
  EXPECT_EQ(*store_->OldestOpen({kMarket}), std::nullopt);
  Request("t1", "r1");              // 1
  Request("t2", "r2");              // 2
  Request("t3", "r3", 1, "other");  // 3
  EXPECT_EQ(*store_->OldestOpen({kMarket}), 1u);
  ASSERT_THAT(Do(SampleCancel("t1", "r1")), IsOk());
  EXPECT_EQ(*store_->OldestOpen({kMarket}), 2u);
  EXPECT_EQ(*store_->OldestOpen({"other"}), 3u);
  EXPECT_EQ(*store_->OldestOpen({"other", kMarket}), 2u);
  EXPECT_EQ(*store_->OldestOpen({"third"}), std::nullopt);
}

TEST_P(TripStoreTest, ListIsNewestFirstInPagesThatNewTripsDoNotShift) {
  for (int i = 0; i < 5; ++i) {
    Request(fmt::format("t{}", i), "r");
    ASSERT_THAT(Do(SampleCancel(fmt::format("t{}", i), "r")), IsOk());
  }
  Request("foreign", "r2");
  const TripFilter mine{RiderId("r"), {}};
  const auto ids = [](const absl::StatusOr<TripPage>& page) {
    EXPECT_THAT(page, IsOk());
    std::vector<std::string> result;
    for (const v1::Trip& trip : page->trips) result.push_back(trip.trip_id());
    return result;
  };
  absl::StatusOr<TripPage> page = store_->ListTrips(mine, 0, 2);
  EXPECT_THAT(ids(page), ElementsAre("t4", "t3"));
  Request("t5", "r");
  page = store_->ListTrips(mine, page->next_before, 2);
  EXPECT_THAT(ids(page), ElementsAre("t2", "t1"));
  page = store_->ListTrips(mine, page->next_before, 2);
  EXPECT_THAT(ids(page), ElementsAre("t0"));
  EXPECT_EQ(page->next_before, 0u);
  page = store_->ListTrips(mine, 0, 6);
  EXPECT_EQ(page->trips.size(), 6u);
  EXPECT_EQ(page->next_before, 0u);
  EXPECT_EQ(ids(store_->ListTrips({}, 0, 100)).size(), 7u);
  EXPECT_EQ(ids(store_->ListTrips({{}, MarketId(kMarket)}, 0, 100)).size(), 7u);
  EXPECT_EQ(ids(store_->ListTrips({{}, MarketId("other")}, 0, 100)).size(), 0u);
  EXPECT_EQ(ids(store_->ListTrips({RiderId("r"), MarketId("other")}, 0, 100)).size(), 0u);
}

TEST_P(TripStoreTest, ConcurrentCommandsArePublishedOnceInOrderWithoutHoles) {
  constexpr int kThreads = 4;
  constexpr int kTripsEach = 25;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([this, thread] {
      for (int i = 0; i < kTripsEach; ++i) {
        const std::string id = fmt::format("{}-{}", thread, i);
        Request("t" + id, "r" + id);
        EXPECT_THAT(Do(SampleCancel("t" + id, "r" + id)), IsOk());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  MutexLock lock(mu_);
  ASSERT_EQ(published_.size(), 2u * kThreads * kTripsEach);
  for (size_t i = 0; i < published_.size(); ++i) EXPECT_EQ(published_[i]->sequence(), i + 1);
}

// Leases.

TEST_P(TripStoreTest, LeaseIsHeldByOneUntilItIsGivenUp) {
  const auto first = Await(*store_, Acquire(kMarket, "a"));
  ASSERT_THAT(first, IsOk());
  EXPECT_TRUE(first->held);
  EXPECT_EQ(first->lease.term, 1u);
  EXPECT_GT(first->ends_in, Duration::zero());

  const auto second = Await(*store_, Acquire(kMarket, "b"));
  ASSERT_THAT(second, IsOk());
  EXPECT_FALSE(second->held);
  EXPECT_EQ(second->lease.holder, "a");
  EXPECT_EQ(second->lease.address, "a:7003");
  EXPECT_TRUE(Await(*store_, Acquire("elsewhere", "b"))->held) << "another market's is another";

  EXPECT_EQ(Await(*store_, Renew(kMarket, "a", 1))->lease.term, 1u);
  EXPECT_EQ(Await(*store_, Release(kMarket, "b", 1))->lease.holder, "a");
  EXPECT_FALSE(Await(*store_, Acquire(kMarket, "b"))->held) << "another's isn't given up";
  ASSERT_THAT(Await(*store_, Release(kMarket, "a", 1)), IsOk());
  ASSERT_THAT(Await(*store_, Release(kMarket, "a", 1)), IsOk()) << "a repeat";
  EXPECT_FALSE(Await(*store_, Renew(kMarket, "a", 1))->held);
  EXPECT_EQ(Await(*store_, Acquire(kMarket, "b"))->lease.term, 2u);
}

TEST_P(TripStoreTest, LeaseThatEndedGoesToAnotherInALargerTerm) {
  // By the clock of the store, which is the database's or the one that stands still.
  ASSERT_TRUE(Await(*store_, Acquire(kMarket, "a", kShortestLease))->held);
  absl::StatusOr<LeaseAnswer> taken;
  do {
    clock_.Advance(kShortestLease / 2);
    taken = Await(*store_, Acquire(kMarket, "b"));
    ASSERT_THAT(taken, IsOk());
  } while (!taken->held);
  EXPECT_EQ(taken->lease.term, 2u);
  const auto late = Await(*store_, Renew(kMarket, "a", 1));
  ASSERT_THAT(late, IsOk());
  EXPECT_FALSE(late->held);
  EXPECT_EQ(late->lease.holder, "b");
  ASSERT_THAT(Await(*store_, Release(kMarket, "a", 1)), IsOk());
  EXPECT_EQ(Await(*store_, Renew(kMarket, "b", 2))->lease.term, 2u);
}

TEST_P(TripStoreTest, LeaseThatEndedAndNobodyTookIsRenewedInItsTerm) {
  ASSERT_TRUE(Await(*store_, Acquire(kMarket, "a", Duration(1)))->held);
  clock_.Advance(std::chrono::hours(1));
  const auto renewed = Await(*store_, Renew(kMarket, "a", 1));
  ASSERT_THAT(renewed, IsOk());
  EXPECT_EQ(renewed->lease.term, 1u);
  EXPECT_FALSE(Await(*store_, Acquire(kMarket, "b"))->held);
}

TEST_P(TripStoreTest, SameHolderTwiceFencesTheEarlier) {
  ASSERT_EQ(Await(*store_, Acquire(kMarket, "a"))->lease.term, 1u);
  ASSERT_EQ(Await(*store_, Acquire(kMarket, "a"))->lease.term, 2u);
  EXPECT_FALSE(Await(*store_, Renew(kMarket, "a", 1))->held);
  EXPECT_FALSE(Await(*store_, Renew(kMarket, "a", 3))->held);
  EXPECT_TRUE(Await(*store_, Renew(kMarket, "a", 2))->held);
}

TEST_P(TripStoreTest, CommandInAnotherTermThanTheLeasesChangesNothing) {
  Request("t", "r");
  AssignCommand assign = SampleAssign("t", "d", "o");
  assign.term = 1;
  EXPECT_THAT(Do(assign), StatusIs(absl::StatusCode::kFailedPrecondition, "no lease"));
  ASSERT_EQ(Await(*store_, Acquire(kMarket, "a"))->lease.term, 1u);
  ASSERT_EQ(Await(*store_, Acquire(kMarket, "a"))->lease.term, 2u);

  const std::uint64_t before = store_->LastSequence();
  for (const std::uint64_t term : {0, 1, 3}) {
    const auto in_term = [term](auto command) {
      command.term = term;
      return Command(command);
    };
    for (const Command& command :
         std::vector<Command>{in_term(SampleAssign("t", "d", "o")),
                              in_term(SampleAdvance("t", "d", v1::TRIP_STATE_ARRIVED)),
                              in_term(ReleaseCommand{TripId("t"), DriverId("d")}),
                              in_term(GiveUpCommand{TripId("t")}),
                              in_term(DriverLostCommand{TripId("t"), DriverId("d")}),
                              in_term(CancelCommand{TripId("t"), RiderId(), v1::CANCEL_REASON_OTHER,
                                                    "", "c", "s"})}) {
      const auto refused = Do(command);
      EXPECT_THAT(refused, StatusIs(absl::StatusCode::kFailedPrecondition, "term"));
      EXPECT_TRUE(rpc::IsStaleTerm(refused.status()));
    }
  }
  EXPECT_EQ(store_->LastSequence(), before);
  assign.term = 2;
  EXPECT_THAT(Do(assign), IsOk());
  EXPECT_THAT(Do(SampleCancel("t", "r")), IsOk()) << "riders need no lease";
}

TEST_P(TripStoreTest, LeasesOutliveTheirStore) {
  ASSERT_TRUE(Await(*store_, Acquire(kMarket, "a"))->held);
  if (GetParam().name == "Memory") return;
  store_.reset();
  store_ = factory_->Make(clock_, nullptr);
  EXPECT_FALSE(Await(*store_, Acquire(kMarket, "b"))->held);
  EXPECT_TRUE(Await(*store_, Renew(kMarket, "a", 1))->held);
}

INSTANTIATE_TEST_SUITE_P(
    Stores, TripStoreTest,
    ::testing::Values(Implementation{"Memory",
                                     []() -> std::unique_ptr<StoreFactory> {
                                       return std::make_unique<MemoryFactory>();
                                     }},
                      Implementation{"Sqlite",
                                     []() -> std::unique_ptr<StoreFactory> {
                                       return std::make_unique<SqliteFactory>();
                                     }},
                      Implementation{"Postgres",
                                     []() -> std::unique_ptr<StoreFactory> {
                                       return std::make_unique<PostgresFactory>();
                                     }}),
    [](const auto& tested) { return tested.param.name; });

TEST_P(TripStoreTest, RidersWhoShareHaveOneDriverAndMayBeGivenToAnother) {
  for (const char* id : {"t1", "t2"}) {
    const std::string rider = fmt::format("rider-of-{}", id);
    ASSERT_THAT(
        Await(*store_, SampleSharedQuote(fmt::format("q-{}", id), rider, InFiveMinutes(), 3)),
        IsOk());
    ASSERT_THAT(Do(SampleRequest(id, rider, fmt::format("q-{}", id))), IsOk());
    // Six people who share four seats, one party after the other.
    ASSERT_THAT(Do(SampleAssign(id, "d", fmt::format("o-{}", id))), IsOk());
    ASSERT_THAT(Do(SampleAdvance(id, "d", v1::TRIP_STATE_ARRIVED)), IsOk());
  }
  ASSERT_THAT(Do(SampleAdvance("t1", "d", v1::TRIP_STATE_ABOARD)), IsOk());
  EXPECT_THAT(Do(SampleAdvance("t2", "d", v1::TRIP_STATE_ABOARD)),
              StatusIs(absl::StatusCode::kFailedPrecondition, "don't fit"));
  Request("alone", "r");
  EXPECT_THAT(Do(SampleAssign("alone", "d", "o-alone")),
              StatusIs(absl::StatusCode::kFailedPrecondition, "doesn't share"));

  ASSERT_THAT(Await(*store_, SampleSharedQuote("q-t3", "rider-of-t3", InFiveMinutes())), IsOk());
  const absl::StatusOr<v1::Trip> requested = Do(SampleRequest("t3", "rider-of-t3", "q-t3"));
  ASSERT_THAT(requested, IsOk());
  ASSERT_THAT(Do(SampleAssign("t3", "d", "o-t3")), IsOk());
  AssignCommand reassign = SampleAssign("t3", "e", "o-t3-e");
  reassign.from = DriverId("d");
  ASSERT_THAT(Do(reassign), IsOk());
  const absl::StatusOr<v1::Trip> trip = store_->GetTrip(TripId("t3"));
  ASSERT_THAT(trip, IsOk());
  EXPECT_EQ(trip->driver().driver_id(), "e");
  EXPECT_EQ(trip->promise().SerializeAsString(), requested->promise().SerializeAsString());
  const v1::TripEvent last = Log().back();
  EXPECT_EQ(last.previous_state(), v1::TRIP_STATE_ASSIGNED);
  EXPECT_EQ(last.trip().state(), v1::TRIP_STATE_ASSIGNED);
}

}  // namespace
}  // namespace ridestream::trip
