// What is PostgreSQL's own among the stores: several processes, rights, versions, lost connections.

#include "services/trip/storage/postgres_trip_store.h"

#include <fmt/format.h>
#include <signal.h>

#include <atomic>
#include <future>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/trip/storage/postgres_schema.h"
#include "services/trip/storage/postgres_session.h"
#include "services/trip/testing/postgres_store_test.h"
#include "services/trip/testing/rides.h"

namespace ridestream::trip {
namespace {

using namespace testing;  // NOLINT: samples.
using ridestream::testing::IsOk;
using ridestream::testing::StatusIs;
using std::chrono::milliseconds;
using ::testing::ElementsAre;

constexpr absl::StatusCode kUnavailable = absl::StatusCode::kUnavailable;
/// Time until a store gives up: longer than an attempt takes on a busy machine, since only an
/// attempt that ends in time returns the reason.
constexpr milliseconds kRetryFor{5'000};

class PostgresTripStoreTest : public PostgresStoreTest {
 protected:
  absl::Status OpenStatus(const std::string& url) {
    PostgresTripStore::Options options = Options();
    options.url = url;
    options.open_for = kRetryFor;
    return PostgresTripStore::Open(std::move(options)).status();
  }
  static constexpr char kTerminateOthers[] =
      "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
      "WHERE datname = 'ridestream' AND pid <> pg_backend_pid()";
};

TEST_F(PostgresTripStoreTest, AnyOfTwoStoresAnswersAndPublishesWhatTheOtherWrote) {
  RecordedStore a(Options());
  RecordedStore b(Options());
  ASSERT_THAT(Request(*a, "t"), IsOk());
  EXPECT_EQ(b->GetTrip(TripId("t"))->state(), v1::TRIP_STATE_REQUESTED);
  EXPECT_EQ(Await(*b, SampleRequest("t", "r-t", "q-t"))->version(), 1u) << "a repeat";
  EXPECT_EQ(Await(*b, SampleAssign("t", "d", "o"))->version(), 2u);
  EXPECT_EQ(Await(*a, SampleAssign("t", "d", "o"))->version(), 2u) << "a repeat";
  EXPECT_THAT(Await(*a, SampleAssign("t", "e", "p")), StatusIs(absl::StatusCode::kAborted, ""));
  EXPECT_THAT(a.WaitForPublished(2), ElementsAre(1u, 2u));
  EXPECT_THAT(b.WaitForPublished(2), ElementsAre(1u, 2u));
  EXPECT_EQ(*a->ReadLastSequence(), 2u);
}

TEST_F(PostgresTripStoreTest, AStorePublishesOnlyEventsNewerThanItsStart) {
  {
    RecordedStore first(Options());
    ASSERT_THAT(Request(*first, "t"), IsOk());
  }
  RecordedStore second(Options());
  EXPECT_EQ(second->LastSequence(), 1u);
  ASSERT_THAT(Await(*second, SampleCancel("t", "r-t")), IsOk());
  EXPECT_THAT(second.WaitForPublished(1), ElementsAre(2u));
}

TEST_F(PostgresTripStoreTest, OneOfTwoConcurrentAssignmentsWins) {
  constexpr int kTrips = 40;
  RecordedStore a(Options());
  RecordedStore b(Options());
  for (int i = 0; i < kTrips; ++i) ASSERT_THAT(Request(*a, fmt::format("t{}", i)), IsOk());
  const auto assign_all = [](PostgresTripStore& store, const std::string& driver) {
    int won = 0;
    for (int i = 0; i < kTrips; ++i) {
      const auto trip = Await(store, SampleAssign(fmt::format("t{}", i), driver + std::to_string(i),
                                                  fmt::format("o-{}{}", driver, i)));
      if (trip.ok()) ++won;
      EXPECT_TRUE(trip.ok() || absl::IsAborted(trip.status())) << trip.status();
    }
    return won;
  };
  auto first = std::async(std::launch::async, assign_all, std::ref(*a), "a");
  auto second = std::async(std::launch::async, assign_all, std::ref(*b), "b");
  EXPECT_EQ(first.get() + second.get(), kTrips);
  EXPECT_EQ(a.WaitForPublished(2 * kTrips).size(), 2u * kTrips);
}

TEST_F(PostgresTripStoreTest, TheSchemaRefusesIllegalTransitions) {
  RecordedStore store(Options());
  ASSERT_THAT(Request(*store, "t"), IsOk());
  ASSERT_THAT(Await(*store, SampleAssign("t", "d", "o")), IsOk());
  ASSERT_THAT(Request(*store, "u"), IsOk());
  for (int term = 1; term <= 2; ++term) ASSERT_THAT(Await(*store, Acquire("city", "a")), IsOk());
  const std::string step = "UPDATE trips SET version = version + 1, latest_sequence = 4, ";
  const std::pair<std::string, std::string> refused[] = {
      {step + "state = 4 WHERE trip_id = 't'", "illegal transition"},
      {step + "driver_id = 'e' WHERE trip_id = 't'", "changes its driver only"},
      {step + "rider_id = 'r-z' WHERE trip_id = 't'", "keeps its identity"},
      {step + "latest_pickup_us = 1, latest_dropoff_us = 2 WHERE trip_id = 't'", "promised"},
      {step + "state = 2 WHERE trip_id = 'u'", "violates check constraint"},
      {"UPDATE trips SET state = 3 WHERE trip_id = 't'", "grows by one version"},
      {"DELETE FROM trips", "not deleted"},
      {"TRUNCATE trip_log", "only grows"},
      {"UPDATE trip_log SET market = 'x'", "only grows"},
      {"DELETE FROM used_ids", "not forgotten"},
      {"INSERT INTO trip_log VALUES (9, 1, 'city', '')", "no holes"},
      {"INSERT INTO trip_log VALUES (4, 1, 'city', '')", "a change of its trip"},
      {"UPDATE leases SET term = 1", "a larger term"},
      {"UPDATE leases SET holder = 'b'", "a larger term"},
      {"DELETE FROM leases", "not deleted"},
      {"TRUNCATE leases", "not deleted"},
  };
  for (const auto& [sql, why] : refused) {
    EXPECT_THAT(server_->Execute(sql), StatusIs(absl::StatusCode::kFailedPrecondition, why)) << sql;
  }
  EXPECT_THAT(server_->Execute("INSERT INTO trips (first_sequence, latest_sequence, trip_id, "
                               "market, rider_id, request_id, quote_id, state, version, party_size)"
                               " VALUES (4, 4, 'v', 'city', 'r-u', 'c', 'q', 1, 1, 1)"),
              StatusIs(absl::StatusCode::kAlreadyExists, "one_open_trip_a_rider"));
}

TEST_F(PostgresTripStoreTest, ADatabaseThatCannotServeIsRefusedWithItsReason) {
  using enum absl::StatusCode;
  EXPECT_THAT(OpenStatus("postgresql://[half"), StatusIs(kInvalidArgument, "malformed"));
  EXPECT_THAT(OpenStatus("postgresql:///x?host=/nowhere"),
              StatusIs(absl::StatusCode::kUnavailable, "/nowhere"));
  EXPECT_THAT(OpenStatus(server_->Url("ridestream", "ridestream", "wrong")),
              StatusIs(kFailedPrecondition, "password authentication failed"));
  EXPECT_THAT(OpenStatus(server_->Url("nowhere")), StatusIs(kFailedPrecondition, "does not exist"));

  ASSERT_THAT(server_->Execute("CREATE ROLE poor LOGIN PASSWORD 'p'"), IsOk());
  const std::string poor = server_->Url("ridestream", "poor", "p");
  EXPECT_THAT(OpenStatus(poor), StatusIs(kPermissionDenied, "permission denied"));
  EXPECT_THAT(OpenStatus(server_->Url()), IsOk());
  ASSERT_THAT(server_->Execute(fmt::format("GRANT SELECT ON ALL TABLES IN SCHEMA public TO poor; "
                                           "GRANT INSERT, UPDATE ON trips TO poor")),
              IsOk());
  EXPECT_THAT(OpenStatus(poor), StatusIs(kPermissionDenied, "INSERT on trip_log"));
  ASSERT_THAT(server_->Execute("GRANT INSERT ON trip_log, used_ids, quotes, surge, leases TO poor; "
                               "GRANT UPDATE ON surge, leases TO poor; "
                               "GRANT DELETE ON quotes TO poor"),
              IsOk());
  EXPECT_THAT(OpenStatus(poor), IsOk()) << "who finds the schema needs no right to make it";

  ASSERT_THAT(server_->Execute(fmt::format("UPDATE {} SET version = 99", kPostgresVersionTable)),
              IsOk());
  EXPECT_THAT(OpenStatus(server_->Url()), StatusIs(kFailedPrecondition, "schema version 99"));
}

TEST_F(PostgresTripStoreTest, OneOfTwoStoresThatDisagreeOnTheClockRateIsRefused) {
  const ScaledClock slow(0.3);
  const ScaledClock fast(10);
  const auto open = [this](const Clock& clock) {
    PostgresTripStore::Options options{.url = server_->Url(), .clock = clock, .readers = 1};
    return PostgresTripStore::Open(std::move(options)).status();
  };
  auto first = std::async(std::launch::async, [&] { return open(slow); });
  auto second = std::async(std::launch::async, [&] { return open(fast); });
  const absl::Status of_slow = first.get();
  const absl::Status of_fast = second.get();
  EXPECT_NE(of_slow.ok(), of_fast.ok()) << of_slow << of_fast;
  EXPECT_THAT(of_slow.ok() ? of_fast : of_slow,
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       of_slow.ok() ? "written with --clock_rate=0.3, and this process has "
                                      "--clock_rate=10"
                                    : "written with --clock_rate=10, and this process has "
                                      "--clock_rate=0.3"));
  EXPECT_THAT(open(of_slow.ok() ? slow : fast), IsOk());
  auto connection = Connect();
  EXPECT_THAT(connection->Execute("UPDATE settings SET value = '2'", Soon()),
              StatusIs(absl::StatusCode::kFailedPrecondition, "holds for all"));
  EXPECT_THAT(
      connection->Execute("INSERT INTO leases VALUES ('m', 'a', '', 1::bigint << 62, 0)", Soon()),
      StatusIs(absl::StatusCode::kFailedPrecondition, "term_leaves_room"));
}

TEST_F(PostgresTripStoreTest, AReadOnlyDatabaseRefusesCommandsUntilItIsWritable) {
  PostgresTripStore::Options options = Options();
  options.write_for = kRetryFor;
  RecordedStore store(options);
  ASSERT_THAT(Request(*store, "t"), IsOk());
  const auto admin = Connect("postgres");
  const auto set_read_only = [&](const char* value) {
    ASSERT_THAT(admin->Execute(fmt::format("ALTER DATABASE ridestream SET "
                                           "default_transaction_read_only = {}",
                                           value),
                               Soon()),
                IsOk());
    QueryInt(*admin, kTerminateOthers);
  };
  set_read_only("on");
  EXPECT_THAT(Await(*store, SampleCancel("t", "r-t")).status(),
              StatusIs(kUnavailable, "read-only"));
  EXPECT_EQ(store->GetTrip(TripId("t"))->version(), 1u) << "reads go on";
  EXPECT_THAT(OpenStatus(server_->Url()), StatusIs(kUnavailable, "read-only"));
  set_read_only("off");
  EXPECT_THAT(Await(*store, SampleCancel("t", "r-t")), IsOk());
  EXPECT_THAT(store.WaitForPublished(2), ElementsAre(1u, 2u));
}

TEST_F(PostgresTripStoreTest, ACommandIsStoppedAtItsDeadlineAndChangesNothing) {
  RecordedStore store(Options());
  ASSERT_THAT(Request(*store, "t"), IsOk());
  const auto other = Connect();
  ASSERT_THAT(other->Execute(
                  fmt::format("BEGIN; SELECT pg_advisory_xact_lock({})", kPostgresLogLock), Soon()),
              IsOk());
  const auto deadline = std::chrono::steady_clock::now() + milliseconds(100);
  EXPECT_THAT(Await(*store, SampleCancel("t", "r-t"), deadline),
              StatusIs(absl::StatusCode::kDeadlineExceeded, "by the call's deadline"));
  EXPECT_THAT(Await(*store, SampleCancel("t", "r-t"), deadline),
              StatusIs(absl::StatusCode::kDeadlineExceeded, "by the call's deadline"));
  ASSERT_THAT(other->Execute("COMMIT", Soon()), IsOk());
  EXPECT_EQ(store->GetTrip(TripId("t"))->version(), 1u);
  EXPECT_EQ(Await(*store, SampleCancel("t", "r-t"))->version(), 2u);
}

TEST_F(PostgresTripStoreTest, AReadIsStoppedAtItsDeadline) {
  RecordedStore store(Options());
  ASSERT_THAT(Request(*store, "t"), IsOk());
  ASSERT_THAT(store->GetTrip(TripId("t")), IsOk());
  const auto other = Connect();
  ASSERT_THAT(other->Execute("BEGIN; LOCK TABLE trips IN ACCESS EXCLUSIVE MODE", Soon()), IsOk());
  EXPECT_THAT(store->GetTrip(TripId("t"), std::chrono::steady_clock::now() + milliseconds(100)),
              StatusIs(absl::StatusCode::kDeadlineExceeded, "timeout"));
  ASSERT_THAT(other->Execute("COMMIT", Soon()), IsOk());
  EXPECT_THAT(store->GetTrip(TripId("t")), IsOk());
}

TEST_F(PostgresTripStoreTest, AFullDatabaseRefusesCommandsUntilThereIsRoomAgain) {
  if (!postgres::testing::PostgresServer::CanMount()) GTEST_SKIP() << "may not mount a small disk";
  auto server = postgres::testing::PostgresServer::Start({.small_disk_mb = 24});
  ASSERT_THAT(server, IsOk());
  for (const std::string& sql :
       {fmt::format("CREATE TABLESPACE small LOCATION '{}'", (*server)->small_disk()),
        std::string("CREATE DATABASE small TABLESPACE small")}) {
    ASSERT_THAT((*server)->Execute(sql, "postgres"), IsOk());
  }
  PostgresTripStore::Options options = Options();
  options.url = (*server)->Url("small");
  options.write_for = kRetryFor;
  RecordedStore store(options);
  // By the server, because nobody else sees the small disk.
  const std::string filler = (*server)->small_disk() + "/filler";
  EXPECT_THAT((*server)->Execute(fmt::format("COPY (SELECT repeat('x', 8000) FROM "
                                             "generate_series(1, 10000)) TO '{}'",
                                             filler),
                                 "small"),
              StatusIs(kUnavailable, "No space left"));
  // Commands find room on pages that were begun before.
  size_t answered = 0;
  absl::Status refused;
  while (refused.ok() && answered < 1'000) {
    refused = Request(*store, fmt::format("t{}", answered)).status();
    if (refused.ok()) ++answered;
  }
  EXPECT_THAT(refused, StatusIs(kUnavailable, "No space left"));
  EXPECT_EQ(*store->ReadLastSequence(), answered) << "reads go on";
  ASSERT_THAT((*server)->Execute(fmt::format("COPY (SELECT 1) TO '{}'", filler), "small"), IsOk());
  EXPECT_THAT(Request(*store, "after"), IsOk());
  for (size_t i = 0; i < answered; ++i) {
    EXPECT_THAT(store->GetTrip(TripId(fmt::format("t{}", i))), IsOk());
  }
  EXPECT_EQ(store.WaitForPublished(answered + 1).size(), answered + 1);
}

TEST_F(PostgresTripStoreTest, AFrozenServerIsGivenUpInTimeAndGoesOnWhenItThaws) {
  PostgresTripStore::Options options = Options();
  options.write_for = kRetryFor;
  RecordedStore store(options);
  ASSERT_THAT(Request(*store, "t"), IsOk());
  ASSERT_THAT(store->GetTrip(TripId("t")), IsOk());
  server_->SignalAll(SIGSTOP);
  const auto began = std::chrono::steady_clock::now();
  EXPECT_THAT(store->GetTrip(TripId("t"), began + milliseconds(200)),
              StatusIs(absl::StatusCode::kDeadlineExceeded, ""));
  EXPECT_THAT(Await(*store, SampleCancel("t", "r-t"), began + milliseconds(200)),
              StatusIs(absl::StatusCode::kDeadlineExceeded, ""));
  EXPECT_THAT(Await(*store, SampleCancel("t", "r-t")), StatusIs(kUnavailable, ""));
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(20));
  server_->SignalAll(SIGCONT);
  EXPECT_EQ(store->GetTrip(TripId("t"))->version(), 1u);
  EXPECT_EQ(Await(*store, SampleCancel("t", "r-t"))->version(), 2u);
  EXPECT_THAT(store.WaitForPublished(2), ElementsAre(1u, 2u));
}

// The commit waits for a standby that doesn't exist, and its backend is ended meanwhile: the
// transaction is committed here, but the answer never comes. It is answered only when the commit is
// as durable as an answered one: when no standby is missing any more.
TEST_F(PostgresTripStoreTest, ACommitWhoseAnswerWasLostIsFoundAndMadeOnce) {
  RecordedStore store(Options());
  const Time expires = clock_.Now() + std::chrono::minutes(5);
  ASSERT_THAT(Await(*store, SampleQuote("q-t", "r-t", expires)), IsOk());
  const auto admin = Connect("postgres");
  ASSERT_THAT(admin->Execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'", Soon()),
              IsOk());
  QueryInt(*admin, "SELECT pg_reload_conf()");
  // The checkpointer reads the setting at some time, and then commits begin to wait.
  const auto prober = Connect("postgres");
  auto probes = std::async(std::launch::async, [&] {
    while (prober->Execute("COMMENT ON DATABASE postgres IS 'probe'", Soon()).ok()) {
    }
  });
  const std::string waiting = "FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
  WaitUntilTrue(*admin, "SELECT count(*) " + waiting);
  QueryInt(*admin, "SELECT count(pg_terminate_backend(pid)) " + waiting);
  probes.get();
  WaitUntilTrue(*admin, "SELECT count(*) = 0 " + waiting);

  auto trip = std::async(std::launch::async,
                         [&] { return Await(*store, SampleRequest("t", "r-t", "q-t")); });
  WaitUntilTrue(*admin, "SELECT count(*) " + waiting);
  QueryInt(*admin, "SELECT count(pg_terminate_backend(pid)) " + waiting);
  WaitUntilTrue(*admin, "SELECT count(*) " + waiting);
  EXPECT_EQ(trip.wait_for(milliseconds(0)), std::future_status::timeout);
  ASSERT_THAT(admin->Execute("ALTER SYSTEM RESET synchronous_standby_names", Soon()), IsOk());
  QueryInt(*admin, "SELECT pg_reload_conf()");
  const absl::StatusOr<v1::Trip> answer = trip.get();
  ASSERT_THAT(answer, IsOk());
  EXPECT_EQ(answer->version(), 1u);
  EXPECT_THAT(store.WaitForPublished(1), ElementsAre(1u));
  EXPECT_EQ(*store->ReadLastSequence(), 1u);
}

// The backend is ended while a deferred trigger holds its commit up: nothing was committed.
TEST_F(PostgresTripStoreTest, AFailedCommitIsRetried) {
  RecordedStore store(Options());
  const Time expires = clock_.Now() + std::chrono::minutes(5);
  ASSERT_THAT(Await(*store, SampleQuote("q-t", "r-t", expires)), IsOk());
  ASSERT_THAT(server_->Execute("CREATE FUNCTION wait_here() RETURNS trigger LANGUAGE plpgsql AS "
                               "'BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN NEW; END'; "
                               "CREATE CONSTRAINT TRIGGER held AFTER INSERT ON trip_log DEFERRABLE "
                               "INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait_here()"),
              IsOk());
  const auto holder = Connect();
  QueryInt(*holder, "SELECT count(pg_advisory_lock(7))");
  auto trip = std::async(std::launch::async,
                         [&] { return Await(*store, SampleRequest("t", "r-t", "q-t")); });
  const auto admin = Connect("postgres");
  WaitUntilTrue(*admin, "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'advisory'");
  QueryInt(*admin,
           "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE wait_event = "
           "'advisory'");
  QueryInt(*holder, "SELECT pg_advisory_unlock(7)");
  EXPECT_THAT(trip.get(), IsOk());
  EXPECT_THAT(store.WaitForPublished(1), ElementsAre(1u));
}

TEST(PostgresSessionTest, CallersDoNotLearnWhereTheServerIs) {
  EXPECT_EQ(
      ForCallers(absl::UnavailableError("not written: can't connect to PostgreSQL: connection "
                                        "to server at \"10.0.0.1\", port 5432 failed")),
      absl::UnavailableError("not written: can't connect to PostgreSQL"));
  EXPECT_EQ(ForCallers(absl::UnavailableError("disk full")), absl::UnavailableError("disk full"));
  EXPECT_THAT(ForCallers(absl::OkStatus()), IsOk());
}

TEST_F(PostgresTripStoreTest, NothingAnsweredIsLostWhileConnectionsAreTerminated) {
  constexpr int kThreads = 4;
  constexpr int kTripsEach = 40;
  constexpr std::int64_t kTerminations = 10;
  RecordedStore a(Options());
  RecordedStore b(Options());
  std::atomic<int> running = kThreads;
  std::atomic<std::int64_t> terminated = 0;
  std::vector<std::set<std::string>> answered(kThreads);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      PostgresTripStore& store = thread % 2 == 0 ? *a : *b;
      for (int i = 0; i < kTripsEach || terminated < kTerminations; ++i) {
        const std::string id = fmt::format("t{}-{}", thread, i);
        const absl::StatusOr<v1::Trip> trip = Request(store, id);
        if (trip.ok()) answered[static_cast<size_t>(thread)].insert(id);
        EXPECT_TRUE(trip.ok() || absl::IsUnavailable(trip.status())) << trip.status();
      }
      --running;
    });
  }
  const auto admin = Connect();
  while (running > 0) {
    // Each time after something was written, so that somebody gets on.
    const std::int64_t written =
        QueryInt(*admin, "SELECT coalesce(max(sequence), 0) FROM trip_log");
    terminated += QueryInt(*admin, kTerminateOthers);
    while (running > 0 &&
           QueryInt(*admin, "SELECT coalesce(max(sequence), 0) FROM trip_log") <= written) {
    }
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GE(terminated, kTerminations);
  size_t count = 0;
  for (const auto& ids : answered) {
    count += ids.size();
    for (const std::string& id : ids) EXPECT_THAT(a->GetTrip(TripId(id)), IsOk()) << id;
  }
  EXPECT_GT(count, 0u);
  const std::uint64_t last = *a->ReadLastSequence();
  EXPECT_GE(last, count);
  for (RecordedStore* store : {&a, &b}) {
    const std::vector<std::uint64_t> published = store->WaitForPublished(last);
    ASSERT_EQ(published.size(), last);
    for (size_t i = 0; i < published.size(); ++i) ASSERT_EQ(published[i], i + 1);
  }
}

TEST_F(PostgresTripStoreTest, AnsweredCommandsSurviveACrashOfTheServer) {
  PostgresTripStore::Options options = Options();
  options.write_for = kRetryFor;
  RecordedStore store(options);
  for (int round = 0; round < 3; ++round) {
    const std::string id = fmt::format("t{}", round);
    ASSERT_THAT(Request(*store, id), IsOk());
    server_->Stop(SIGQUIT);
    EXPECT_THAT(Await(*store, SampleCancel(id, "r-" + id)), StatusIs(kUnavailable, ""));
    EXPECT_THAT(store->GetTrip(TripId(id)), StatusIs(kUnavailable, "can't connect"));
    ASSERT_THAT(server_->Restart(), IsOk());
    EXPECT_EQ(store->GetTrip(TripId(id))->version(), 1u);
    EXPECT_EQ(Await(*store, SampleCancel(id, "r-" + id))->version(), 2u);
  }
  EXPECT_THAT(store.WaitForPublished(6), ElementsAre(1u, 2u, 3u, 4u, 5u, 6u));
}

TEST_F(PostgresTripStoreTest, ExpiredQuotesAreDropped) {
  RecordedStore store(Options());
  for (int i = 0; i < 3; ++i) {
    ASSERT_THAT(Await(*store, SampleQuote(fmt::format("q{}", i), "r", clock_.Now())), IsOk());
  }
  clock_.Advance(PostgresLedger::kQuoteRetention + Duration(1));
  ASSERT_THAT(Await(*store, SampleQuote("new", "r", clock_.Now())), IsOk());
  EXPECT_EQ(QueryInt(*Connect(), "SELECT count(*) FROM quotes"), 2);
}

}  // namespace
}  // namespace ridestream::trip
