// The trap of a log that several processes write, and that it is closed.
//
// A sequence number that is taken before its commit may become visible after a later one: a
// follower that has gone past it never sees that event.

#include <fmt/format.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/trip/storage/postgres_schema.h"
#include "services/trip/testing/postgres_store_test.h"

namespace ridestream::trip {
namespace {

using namespace testing;  // NOLINT: samples.
using ridestream::testing::IsOk;
using ridestream::testing::StatusIs;

class LogOrderTest : public PostgresStoreTest {};

TEST_F(LogOrderTest, NumbersTakenBeforeTheCommitLoseAFollowersEvent) {
  const auto slow = Connect();
  const auto fast = Connect();
  const auto follower = Connect();
  ASSERT_THAT(slow->Execute("CREATE TABLE naive (sequence bigserial PRIMARY KEY)", Soon()), IsOk());
  ASSERT_THAT(slow->Execute("BEGIN; INSERT INTO naive DEFAULT VALUES", Soon()), IsOk());
  ASSERT_THAT(fast->Execute("INSERT INTO naive DEFAULT VALUES", Soon()), IsOk());
  EXPECT_EQ(QueryInt(*follower, "SELECT min(sequence) FROM naive WHERE sequence > 0"), 2);
  ASSERT_THAT(slow->Execute("COMMIT", Soon()), IsOk());
  EXPECT_EQ(QueryInt(*follower, "SELECT count(*) FROM naive WHERE sequence > 2"), 0);
  EXPECT_EQ(QueryInt(*follower, "SELECT count(*) FROM naive"), 2) << "the first is never followed";
}

/// A trip and its log entry as a writer that doesn't take the log's lock would write them.
std::string WriteTrip(int sequence) {
  v1::TripEvent event;
  event.set_sequence(static_cast<std::uint64_t>(sequence));
  std::string hex;
  for (const char c : event.SerializeAsString()) {
    hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  }
  return fmt::format(
      "INSERT INTO trips (first_sequence, latest_sequence, trip_id, market, rider_id, request_id, "
      "quote_id, state, version, party_size) VALUES ({0}, {0}, 't{0}', 'city', 'r{0}', 'c', "
      "'q{0}', 1, 1, 1); INSERT INTO trip_log VALUES ({0}, {0}, 'city', '\\x{1}')",
      sequence, hex);
}

TEST_F(LogOrderTest, TheSchemaRefusesANumberBeforeTheOneBelowIsCommitted) {
  const RecordedStore store(Options());  // Makes the schema.
  const auto slow = Connect();
  const auto fast = Connect();
  ASSERT_THAT(slow->Execute("BEGIN; " + WriteTrip(1), Soon()), IsOk());
  EXPECT_THAT(fast->Execute(WriteTrip(2), Soon()),
              StatusIs(absl::StatusCode::kFailedPrecondition, "the log has no holes"));
  EXPECT_EQ(QueryInt(*fast, "SELECT count(*) FROM trip_log"), 0);
  ASSERT_THAT(slow->Execute("COMMIT", Soon()), IsOk());
  EXPECT_THAT(fast->Execute(WriteTrip(2), Soon()), IsOk());
}

TEST_F(LogOrderTest, AWriterWaitsForTheLogsLock) {
  RecordedStore store(Options());
  const auto other = Connect();
  ASSERT_THAT(other->Execute("BEGIN", Soon()), IsOk());
  ASSERT_THAT(other->Execute("SELECT pg_advisory_xact_lock(" + std::to_string(kPostgresLogLock) +
                                 "); " + WriteTrip(1),
                             Soon()),
              IsOk());
  std::thread writer([&] { EXPECT_THAT(Request(*store, "t"), IsOk()); });
  const auto watch = Connect();
  WaitUntilTrue(*watch,
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted");
  EXPECT_EQ(store->LastSequence(), 0u);
  ASSERT_THAT(other->Execute("COMMIT", Soon()), IsOk());
  writer.join();
  EXPECT_THAT(store.WaitForPublished(2), ::testing::ElementsAre(1u, 2u));
}

TEST_F(LogOrderTest, FollowersOfSeveralWritersSeeEachEventOnceAndInOrder) {
  constexpr int kStores = 3;
  constexpr int kThreadsEach = 4;
  constexpr int kTripsEach = 15;
  constexpr size_t kEvents = 2 * kStores * kThreadsEach * kTripsEach;
  std::vector<std::unique_ptr<RecordedStore>> stores;
  for (int i = 0; i < kStores; ++i) stores.push_back(std::make_unique<RecordedStore>(Options()));

  std::vector<std::thread> threads;
  for (int store = 0; store < kStores; ++store) {
    for (int thread = 0; thread < kThreadsEach; ++thread) {
      threads.emplace_back([this, &stores, store, thread] {
        for (int i = 0; i < kTripsEach; ++i) {
          // The trip is requested at one store and cancelled at another.
          const std::string id = fmt::format("{}-{}-{}", store, thread, i);
          EXPECT_THAT(Request(**stores[static_cast<size_t>(store)], id), IsOk());
          EXPECT_THAT(Await(**stores[static_cast<size_t>((store + 1) % kStores)],
                            SampleCancel(id, "r-" + id)),
                      IsOk());
        }
      });
    }
    // A follower of the table itself, as fast as it can read.
    threads.emplace_back([&stores, store] {
      std::uint64_t cursor = 0;
      while (cursor < kEvents) {
        const auto page = (*stores[static_cast<size_t>(store)])->ReadLog(cursor, {kMarket}, 64);
        ASSERT_THAT(page, IsOk());
        for (const v1::TripEvent& event : page->events) ASSERT_EQ(event.sequence(), ++cursor);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& store : stores) {
    const std::vector<std::uint64_t> published = store->WaitForPublished(kEvents);
    ASSERT_EQ(published.size(), kEvents);
    for (size_t i = 0; i < kEvents; ++i) ASSERT_EQ(published[i], i + 1);
  }
}

}  // namespace
}  // namespace ridestream::trip
