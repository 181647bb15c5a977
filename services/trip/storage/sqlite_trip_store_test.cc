// What only the SQLite store does: durability, group commit, the schema's constraints.

#include "services/trip/storage/sqlite_trip_store.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <future>

#include "gtest/gtest.h"
#include "libs/sqlite/migrations.h"
#include "libs/sqlite/testing/fault_vfs.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_folder.h"
#include "services/trip/storage/data_folder.h"
#include "services/trip/storage/schema.h"
#include "services/trip/testing/store_calls.h"
#include "services/trip/testing/trip_samples.h"

namespace ridestream::trip {
namespace {

using namespace testing;  // NOLINT: samples.
using ridestream::testing::IsOk;
using ridestream::testing::StatusIs;
using ridestream::testing::TempFolder;
using ridestream::testing::WithoutRights;
using sqlite::Database;
using sqlite::testing::FaultVfs;

class SqliteTripStoreTest : public ::testing::Test {
 protected:
  void SetUp() override { Open(); }

  absl::StatusOr<std::unique_ptr<SqliteTripStore>> TryOpen(size_t max_queue = 1000) {
    return SqliteTripStore::Open(
        {.path = path(),
         .clock = clock_,
         .on_failure = [this](const absl::Status&, size_t commands) { failed_ += commands; },
         .max_queue = max_queue,
         .vfs = disk_.name()});
  }
  void Open(size_t max_queue = 1000) {
    store_.reset();
    absl::StatusOr<std::unique_ptr<SqliteTripStore>> store = TryOpen(max_queue);
    ASSERT_THAT(store, IsOk());
    store_ = *std::move(store);
  }
  std::string path() const { return folder_.File("trips.db"); }

  absl::StatusOr<v1::Trip> Do(Command command) { return Await(*store_, std::move(command)); }
  void SaveQuote(const std::string& id, const std::string& rider, std::uint32_t party_size = 1) {
    const Time expires = clock_.Now() + std::chrono::minutes(5);
    ASSERT_THAT(Await(*store_, SampleQuote(id, rider, expires, party_size)), IsOk());
  }
  void Request(const std::string& id, const std::string& rider, std::uint32_t party_size = 1) {
    SaveQuote("q-" + id, rider, party_size);
    ASSERT_THAT(Do(SampleRequest(id, rider, "q-" + id)), IsOk());
  }

  TempFolder folder_;
  FaultVfs disk_;
  ManualClock clock_;
  std::atomic<size_t> failed_ = 0;
  std::unique_ptr<SqliteTripStore> store_;
};

TEST_F(SqliteTripStoreTest, StoredTripsSurviveReopening) {
  Request("t", "r");
  ASSERT_THAT(Do(SampleAssign("t", "d", "o")), IsOk());
  ASSERT_THAT(Do(SampleChange("t", "r", "c", {1, 2})), IsOk());
  SaveQuote("q2", "r2");
  Open();
  EXPECT_EQ(store_->LastSequence(), 3u);
  EXPECT_EQ(store_->GetTrip(TripId("t"))->state(), v1::TRIP_STATE_ASSIGNED);
  EXPECT_EQ(Do(SampleAssign("t", "d", "o"))->version(), 3u);
  EXPECT_EQ(Do(SampleChange("t", "r", "c", {1, 2}))->version(), 3u);
  EXPECT_EQ(Do(SampleRequest("t", "r", "q-t"))->version(), 3u);
  EXPECT_THAT(Do(SampleRequest("t2", "r2", "q2")), IsOk());
  EXPECT_EQ(store_->ReadLog(0, {kMarket}, 100)->events.back().sequence(), 4u);
}

TEST_F(SqliteTripStoreTest, NothingIsAcknowledgedBeforeTheDiskHasIt) {
  SaveQuote("q", "r");
  disk_.HoldSyncs();
  std::promise<absl::StatusOr<TripPtr>> answer;
  std::atomic<bool> answered = false;
  store_->Submit(SampleRequest("t", "r", "q"), [&](const absl::StatusOr<TripPtr>& trip) {
    answered = true;
    answer.set_value(trip);
  });
  disk_.AwaitHeldSync();
  // The writer waits in the sync of just this commit.
  EXPECT_FALSE(answered);
  EXPECT_EQ(store_->LastSequence(), 0u);
  EXPECT_THAT(store_->GetTrip(TripId("t")), StatusIs(absl::StatusCode::kNotFound, ""));
  disk_.ReleaseSyncs();
  EXPECT_THAT(answer.get_future().get(), IsOk());
  EXPECT_THAT(store_->GetTrip(TripId("t")), IsOk());
}

TEST_F(SqliteTripStoreTest, CommandsThatWaitShareOneCommitAndFailTogether) {
  for (int i = 0; i < 5; ++i) SaveQuote(fmt::format("q{}", i), fmt::format("r{}", i));
  disk_.HoldSyncs();
  std::vector<std::promise<absl::StatusOr<TripPtr>>> answers(5);
  for (size_t i = 0; i < 5; ++i) {
    store_->Submit(
        SampleRequest(fmt::format("t{}", i), fmt::format("r{}", i), fmt::format("q{}", i)),
        [&, i](const absl::StatusOr<TripPtr>& trip) { answers[i].set_value(trip); });
    if (i == 0) disk_.AwaitHeldSync();  // The others come while the first is being committed.
  }
  disk_.FailSyncs(true);
  disk_.ReleaseSyncs();
  for (auto& answer : answers) {
    EXPECT_THAT(answer.get_future().get(),
                StatusIs(absl::StatusCode::kUnavailable, "the trip wasn't written"));
  }
  EXPECT_EQ(failed_, 5u);
  EXPECT_EQ(store_->LastSequence(), 0u);

  // The disk recovers, and so does the store: what was refused may come again.
  disk_.FailSyncs(false);
  for (int i = 0; i < 5; ++i) {
    EXPECT_THAT(
        Do(SampleRequest(fmt::format("t{}", i), fmt::format("r{}", i), fmt::format("q{}", i))),
        IsOk());
  }
  EXPECT_EQ(store_->LastSequence(), 5u);
}

TEST_F(SqliteTripStoreTest, FullQueueRefusesWithoutLosingQueuedCommands) {
  Open(/*max_queue=*/1);
  SaveQuote("q", "r");
  disk_.HoldSyncs();
  std::promise<absl::StatusOr<TripPtr>> first, second, third;
  const auto submit = [&](std::promise<absl::StatusOr<TripPtr>>& answer) {
    store_->Submit(SampleRequest("t", "r", "q"),
                   [&](const absl::StatusOr<TripPtr>& trip) { answer.set_value(trip); });
  };
  submit(first);
  disk_.AwaitHeldSync();
  submit(second);
  submit(third);
  EXPECT_THAT(third.get_future().get(),
              StatusIs(absl::StatusCode::kResourceExhausted, "1 commands are already waiting"));
  disk_.ReleaseSyncs();
  EXPECT_THAT(first.get_future().get(), IsOk());
  EXPECT_THAT(second.get_future().get(), IsOk());
}

TEST_F(SqliteTripStoreTest, CloseExecutesQueuedCommands) {
  SaveQuote("q", "r");
  std::promise<absl::StatusOr<TripPtr>> answer;
  store_->Submit(SampleRequest("t", "r", "q"),
                 [&](const absl::StatusOr<TripPtr>& trip) { answer.set_value(trip); });
  store_.reset();
  EXPECT_THAT(answer.get_future().get(), IsOk());
  Open();
  EXPECT_THAT(store_->GetTrip(TripId("t")), IsOk());
}

TEST_F(SqliteTripStoreTest, ARefusedCommandFailsAlone) {
  SaveQuote("q", "r");
  SaveQuote("q2", "r2");
  SaveQuote("q3", "r3", /*party_size=*/9);  // The schema's limit is 8.
  disk_.HoldSyncs();
  std::promise<absl::StatusOr<TripPtr>> first, bad, good;
  store_->Submit(SampleRequest("t", "r", "q"), [&](auto trip) { first.set_value(trip); });
  disk_.AwaitHeldSync();
  store_->Submit(SampleRequest("t3", "r3", "q3"), [&](auto trip) { bad.set_value(trip); });
  store_->Submit(SampleRequest("t2", "r2", "q2"), [&](auto trip) { good.set_value(trip); });
  disk_.ReleaseSyncs();
  EXPECT_THAT(first.get_future().get(), IsOk());
  EXPECT_THAT(bad.get_future().get(),
              StatusIs(absl::StatusCode::kInternal, "CHECK constraint failed"));
  EXPECT_THAT(good.get_future().get(), IsOk());
  EXPECT_EQ(failed_, 1u);
  EXPECT_EQ(store_->LastSequence(), 2u);
}

TEST_F(SqliteTripStoreTest, QuotesThatExpiredLongAgoAreDropped) {
  for (int i = 0; i < 10; ++i) SaveQuote(fmt::format("old{}", i), "r");
  clock_.Advance(std::chrono::hours(2));
  for (int i = 0; i < 6; ++i) SaveQuote(fmt::format("new{}", i), "r");
  store_.reset();
  absl::StatusOr<Database> database = Database::Open(path());
  ASSERT_THAT(database, IsOk());
  absl::StatusOr<sqlite::Statement> count = database->Prepare("SELECT count(*) FROM quotes");
  absl::StatusOr<sqlite::Rows> rows = count->Query();
  ASSERT_TRUE(rows->Next().value());
  EXPECT_EQ(rows->Int64(0), 6);
}

TEST_F(SqliteTripStoreTest, SchemaItselfHoldsTheInvariants) {
  Request("t", "r", 2);
  Request("t2", "r2", 2);
  Request("t3", "r3", 2);
  Request("t4", "r4", 2);
  ASSERT_THAT(Do(SampleCancel("t4", "r4")), IsOk());
  for (const char* id : {"t", "t2"}) {
    ASSERT_THAT(Do(SampleAssign(id, "d", fmt::format("o-{}", id))), IsOk());
    ASSERT_THAT(Do(SampleAdvance(id, "d", v1::TRIP_STATE_ARRIVED)), IsOk());
  }
  ASSERT_THAT(Do(SampleAdvance("t", "d", v1::TRIP_STATE_ABOARD)), IsOk());
  for (int term = 1; term <= 2; ++term) ASSERT_THAT(Await(*store_, Acquire("m", "a")), IsOk());
  store_.reset();
  absl::StatusOr<Database> database = Database::Open(path());
  ASSERT_THAT(database, IsOk());
  const std::string insert =
      "INSERT INTO trips (first_sequence, latest_sequence, trip_id, market, rider_id, request_id, "
      "quote_id, state, version, party_size) VALUES ";
  const std::string step =
      "UPDATE trips SET version = version + 1, latest_sequence = "
      "latest_sequence + 100, ";
  struct Violation {
    std::string sql;
    absl::StatusCode code;
    std::string message;
  };
  constexpr auto kUnique = absl::StatusCode::kAlreadyExists;
  constexpr auto kRule = absl::StatusCode::kFailedPrecondition;
  const Violation violations[] = {
      {insert + "(90, 90, 'x', 'm', 'r9', 'request-t', 'q1', 1, 1, 1), "
                "(91, 91, 'y', 'm', 'r9', 'request-u', 'q2', 1, 1, 1)",
       kUnique, "trips.rider_id"},  // Two open trips.
      {insert + "(90, 90, 'x', 'm', 'r9', 'request-9', 'q-t4', 1, 1, 1)", kRule,
       "a quote serves one trip"},
      {"INSERT INTO used_ids VALUES (3, '', 'o-t', 't2', 'd')", kUnique, "used_ids"},
      {"UPDATE used_ids SET trip_id = 't2' WHERE id = 'o-t'", kRule, "one use"},
      {"DELETE FROM used_ids WHERE id = 'o-t'", kRule, "not forgotten"},
      {insert + "(90, 90, 'x', 'm', 'r4', 'request-t4', 'q', 1, 1, 1)", kUnique, "request_id"},
      {insert + "(90, 90, 't', 'm', 'r9', 'request-9', 'q', 1, 1, 1)", kUnique, "trip_id"},
      {insert + "(90, 90, 'x', 'm', 'r9', 'request-9', 'q', 4, 1, 1)", kRule, "begins"},
      {insert + "(90, 90, 'x', 'm', 'r9', 'request-9', 'q', 1, 1, 9)", kRule, "party_size"},
      // The car has 4 seats and 2 aboard; with 3 seats two more don't fit.
      {step + "state = 4, seats = 3 WHERE trip_id = 't2'", kRule, "riders aboard exceed"},
      {step + "state = 2 WHERE trip_id = 't3'", kRule, "CHECK"},  // Without a driver.
      {step + "state = 2, driver_id = 'e', seats = 1 WHERE trip_id = 't3'", kRule, "CHECK"},
      {step + "state = 3 WHERE trip_id = 't3'", kRule, "illegal transition"},
      {step + "state = 3 WHERE trip_id = 't'", kRule, "illegal transition"},
      {step + "driver_id = 'e' WHERE trip_id = 't'", kRule, "changes its driver"},
      {"UPDATE trips SET state = 5 WHERE trip_id = 't'", kRule, "one version"},
      {"DELETE FROM trips WHERE trip_id = 't'", kRule, "not deleted"},
      {"INSERT INTO trip_log VALUES (99, 1, 'm', x'')", kRule, "no holes"},
      {"INSERT INTO trip_log VALUES (11, 77, 'm', x'')", kRule, "FOREIGN KEY"},
      {"UPDATE trip_log SET market = 'x' WHERE sequence = 1", kRule, "only grows"},
      {"DELETE FROM trip_log WHERE sequence = 8", kRule, "only grows"},
      {"UPDATE leases SET term = 1", kRule, "a larger term"},
      {"UPDATE leases SET holder = 'b'", kRule, "a larger term"},
      {"UPDATE leases SET market = 'x', term = 3", kRule, "a larger term"},
      {"DELETE FROM leases", kRule, "not deleted"},
      {"UPDATE leases SET term = 1 << 62", kRule, "less than 2^62"},
      {"INSERT INTO leases VALUES ('x', 'a', '', 1 << 62, 0)", kRule, "less than 2^62"},
      {"UPDATE settings SET value = '2'", kRule, "holds for all"},
      {"DELETE FROM settings", kRule, "holds for all"},
      {"INSERT INTO settings VALUES ('clock_rate', '2')", kUnique, "settings.name"},
  };
  for (const Violation& violation : violations) {
    SCOPED_TRACE(violation.sql);
    EXPECT_THAT(database->Execute(violation.sql), StatusIs(violation.code, violation.message));
  }
  // The same shape of statement is possible where it breaks no rule.
  EXPECT_THAT(database->Execute(step + "state = 4 WHERE trip_id = 't2'"), IsOk());
  EXPECT_THAT(database->Execute("INSERT INTO trip_log VALUES (11, 1, 'm', x'')"), IsOk());
  EXPECT_THAT(database->Execute("UPDATE leases SET holder = 'b', term = 3, ends_at_us = 0"),
              IsOk());
}

TEST_F(SqliteTripStoreTest, DatabaseOfTheFirstVersionIsTakenOverWithItsTrips) {
  Request("t1", "r1");
  Request("t2", "r2");
  ASSERT_THAT(Do(SampleAssign("t2", "d", "o2")), IsOk());
  store_.reset();
  {
    // The same trips as the first version's program would have left them.
    absl::StatusOr<Database> old = Database::Open(folder_.File("old.db"));
    ASSERT_THAT(old, IsOk());
    ASSERT_THAT(sqlite::Migrate(*old, Migrations().first(1)), IsOk());
    ASSERT_THAT(
        old->Execute(fmt::format(
            "ATTACH '{}' AS now; INSERT INTO quotes SELECT * FROM now.quotes;"
            "INSERT INTO trips SELECT first_sequence, first_sequence, trip_id, market, rider_id, "
            "request_id, 'q-t1', 1, 1, party_size, NULL, 0 FROM now.trips;"
            "INSERT INTO destination_changes VALUES ('t1', 'c1', 10, 20);"
            "UPDATE trips SET latest_sequence = 3, state = 2, version = 2, driver_id = 'd', "
            "seats = 4 WHERE trip_id = 't2';"
            "INSERT INTO trip_log SELECT * FROM now.trip_log ORDER BY sequence; DETACH now",
            path())),
        IsOk());
  }
  for (const char* file : {"", "-wal", "-shm"}) std::filesystem::remove(path() + file);
  std::filesystem::rename(folder_.File("old.db"), path());

  Open();
  EXPECT_EQ(store_->LastSequence(), 3u);
  EXPECT_EQ(store_->GetTrip(TripId("t1"))->state(), v1::TRIP_STATE_REQUESTED);
  EXPECT_FALSE(store_->GetTrip(TripId("t2"))->has_promise());
  // Ids that were used are used; a quote could serve several trips.
  EXPECT_EQ(Do(SampleChange("t1", "r1", "c1", {10, 20}))->version(), 1u);
  EXPECT_THAT(Do(SampleChange("t1", "r1", "c1", {30, 40})),
              StatusIs(absl::StatusCode::kAlreadyExists, "request_id"));
  EXPECT_THAT(Do(SampleAdvance("t2", "d", v1::TRIP_STATE_ARRIVED)), IsOk());
  // Riders from before don't share.
  ASSERT_THAT(Await(*store_, SampleSharedQuote("q3", "r3", clock_.Now())), IsOk());
  ASSERT_THAT(Do(SampleRequest("t3", "r3", "q3")), IsOk());
  EXPECT_THAT(Do(SampleAssign("t3", "d", "o3")),
              StatusIs(absl::StatusCode::kFailedPrecondition, "its rider shares"));
  EXPECT_THAT(Do(SampleAssign("t3", "e", "o3")), IsOk());
}

TEST_F(SqliteTripStoreTest, SchemaKeepsPromisesAndCompany) {
  for (const char* id : {"t1", "t2"}) {
    const std::string rider = fmt::format("rider-of-{}", id);
    const std::string quote = fmt::format("q-{}", id);
    ASSERT_THAT(Await(*store_, SampleSharedQuote(quote, rider, clock_.Now())), IsOk());
    ASSERT_THAT(Do(SampleRequest(id, rider, quote)), IsOk());
  }
  Request("alone", "r");
  ASSERT_THAT(Do(SampleAssign("t1", "d", "o1")), IsOk());
  ASSERT_THAT(Do(SampleAssign("alone", "e", "o2")), IsOk());
  store_.reset();
  absl::StatusOr<Database> database = Database::Open(path());
  ASSERT_THAT(database, IsOk());
  const std::string step =
      "UPDATE trips SET version = version + 1, latest_sequence = latest_sequence + 100, ";
  constexpr auto kRule = absl::StatusCode::kFailedPrecondition;
  EXPECT_THAT(database->Execute(step + "latest_dropoff_us = 9e15 WHERE trip_id = 't1'"),
              StatusIs(kRule, "promised"));
  EXPECT_THAT(database->Execute(step + "latest_pickup_us = NULL, latest_dropoff_us = NULL "
                                       "WHERE trip_id = 't1'"),
              StatusIs(kRule, "promised"));
  EXPECT_THAT(database->Execute(step + "driver_id = 'f' WHERE trip_id = 'alone'"),
              StatusIs(kRule, "changes its driver"));
  EXPECT_THAT(database->Execute(step + "state = 2, driver_id = 'e', seats = 4 "
                                       "WHERE trip_id = 't2'"),
              StatusIs(kRule, "all share or none"));
  EXPECT_THAT(database->Execute(step + "driver_id = 'f' WHERE trip_id = 't1'"), IsOk());
  EXPECT_THAT(database->Execute(step + "state = 2, driver_id = 'f', seats = 4 "
                                       "WHERE trip_id = 't2'"),
              IsOk());
}

TEST_F(SqliteTripStoreTest, NewerDatabaseIsRefused) {
  store_.reset();
  absl::StatusOr<Database> database = Database::Open(path());
  ASSERT_THAT(database, IsOk());
  ASSERT_THAT(database->Execute("PRAGMA user_version = 99"), IsOk());
  EXPECT_THAT(TryOpen(), StatusIs(absl::StatusCode::kFailedPrecondition,
                                  "is of schema version 99, and this program knows"));
}

TEST_F(SqliteTripStoreTest, ClockOfAnotherRateThanTheDatabasesIsRefused) {
  const ScaledClock slow(0.3);
  const ScaledClock fast(10);
  const auto open = [this](const Clock& clock) {
    return SqliteTripStore::Open({.path = folder_.File("other.db"), .clock = clock}).status();
  };
  EXPECT_THAT(open(slow), IsOk());
  EXPECT_THAT(open(fast), StatusIs(absl::StatusCode::kFailedPrecondition,
                                   "written with --clock_rate=0.3, and this process has "
                                   "--clock_rate=10"));
  EXPECT_THAT(open(slow), IsOk());
}

TEST_F(SqliteTripStoreTest, DamagedFileIsRefused) {
  store_.reset();
  std::filesystem::remove(path() + "-wal");
  std::ofstream(path()) << std::string(10'000, '#');
  EXPECT_THAT(TryOpen(), StatusIs(absl::StatusCode::kDataLoss, "restore it from a backup"));
}

TEST(DataFolderTest, IsMadeWhereItIsMissing) {
  TempFolder parent;
  absl::StatusOr<DataFolder> folder = DataFolder::Acquire(parent.File("a/b"));
  ASSERT_THAT(folder, IsOk());
  EXPECT_EQ(folder->database_path(), parent.File("a/b") + "/trips.db");
  EXPECT_TRUE(std::filesystem::is_directory(parent.File("a/b")));
}

TEST(DataFolderTest, CanBeLockedByOneProcessOnly) {
  TempFolder parent;
  {
    absl::StatusOr<DataFolder> first = DataFolder::Acquire(parent.path());
    ASSERT_THAT(first, IsOk());
    EXPECT_THAT(DataFolder::Acquire(parent.path()),
                StatusIs(absl::StatusCode::kFailedPrecondition, "is in use by process"));
  }
  EXPECT_THAT(DataFolder::Acquire(parent.path()), IsOk());
}

TEST(DataFolderTest, MissingRightsArePermissionDenied) {
  TempFolder parent;
  std::filesystem::permissions(parent.path(), std::filesystem::perms::none);
  WithoutRights without;
  EXPECT_THAT(DataFolder::Acquire(parent.path()),
              StatusIs(absl::StatusCode::kPermissionDenied, parent.path()));
  EXPECT_THAT(DataFolder::Acquire(parent.File("inside")),
              StatusIs(absl::StatusCode::kPermissionDenied, "can't make the data folder"));
}

TEST(DataFolderTest, NamesAFileInPlaceOfTheFolder) {
  TempFolder parent;
  std::ofstream(parent.File("data")) << "x";
  EXPECT_THAT(DataFolder::Acquire(parent.File("data")),
              StatusIs(absl::StatusCode::kFailedPrecondition, parent.File("data")));
}

}  // namespace
}  // namespace ridestream::trip
