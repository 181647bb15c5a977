// Databases of every version of the schema, as text in testdata/, open in today's program.
// To add the one of a new version N, made of a database with a completed, an open and a cancelled
// trip: (sqlite3 trips.db .dump; echo "PRAGMA user_version = N;") > testdata/trips_vN.sql

#include <fmt/format.h>

#include <fstream>
#include <iterator>

#include "gtest/gtest.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_folder.h"
#include "services/trip/storage/schema.h"
#include "services/trip/storage/sqlite_trip_store.h"
#include "services/trip/testing/rides.h"

namespace ridestream::trip {
namespace {

using namespace testing;  // NOLINT: samples.
using ridestream::testing::IsOk;

TEST(VersionsTest, MigratesADatabaseOfEachSchemaVersionWithItsContents) {
  for (std::size_t version = 1; version <= Migrations().size(); ++version) {
    const std::string dump = fmt::format("services/trip/storage/testdata/trips_v{}.sql", version);
    SCOPED_TRACE(dump);
    std::ifstream file(dump);
    ASSERT_TRUE(file) << "each version of the schema has a dump of a database here";
    const std::string sql{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};

    ridestream::testing::TempFolder folder;
    {
      auto database = sqlite::Database::Open(folder.File("trips.db"));
      ASSERT_THAT(database, IsOk());
      ASSERT_THAT(database->Execute(sql), IsOk());
    }
    ManualClock clock;
    const auto store =
        SqliteTripStore::Open({.path = folder.File("trips.db"), .clock = clock, .readers = 1});
    ASSERT_THAT(store, IsOk());
    EXPECT_EQ(ReadAll(**store).value(),
              (std::map<std::string, std::uint64_t>{{"t0", 5}, {"t-open", 2}, {"t-cancelled", 2}}));
    EXPECT_EQ((*store)->GetTrip(TripId("t0"))->state(), v1::TRIP_STATE_COMPLETED);
    EXPECT_EQ((*store)->GetTrip(TripId("t0"))->traceparent(), "");
    EXPECT_EQ((*store)->GetTrip(TripId("t-open"))->driver().name(), "Ada");
    EXPECT_EQ((*store)->GetTrip(TripId("t-cancelled"))->state(), v1::TRIP_STATE_CANCELLED);
    // The store continues where it was, idempotent as before.
    EXPECT_EQ(Await(**store, SampleAssign("t-open", "d-open", "o-open"))->version(), 2u);
    EXPECT_THAT(Await(**store, SampleAdvance("t-open", "d-open", v1::TRIP_STATE_ARRIVED)), IsOk());
    for (Command& command : RideCommands(**store, clock, 7)) {
      EXPECT_THAT(Await(**store, std::move(command)), IsOk());
    }
  }
}

}  // namespace
}  // namespace ridestream::trip
