// What docs/operations.md says about backups: SQLite's VACUUM INTO beside the running service, and
// a restore by putting that file in the place of trips.db.

#include <fmt/format.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <utility>

#include "gtest/gtest.h"
#include "libs/sqlite/database.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_folder.h"
#include "services/trip/storage/sqlite_trip_store.h"
#include "services/trip/testing/rides.h"

namespace ridestream::trip {
namespace {

using namespace testing;  // NOLINT: samples.
using ridestream::testing::IsOk;
using ridestream::testing::TempFolder;

constexpr int kRidesBefore = 20;

/// Carries out all commands of a ride, one after the other.
void Ride(TripStore& store, const Clock& clock, int number) {
  for (Command& command : RideCommands(store, clock, number)) {
    EXPECT_THAT(Await(store, std::move(command)), IsOk());
  }
}

/// The statement of docs/operations.md, on a connection of its own as the sqlite3 shell has.
absl::Status BackUp(const std::string& database, const std::string& into) {
  auto connection = sqlite::Database::Open(database);
  if (!connection.ok()) return connection.status();
  return connection->Execute(fmt::format("VACUUM INTO '{}'", into));
}

TEST(BackupTest, BackupUnderLoadContainsEverythingAnsweredBefore) {
  const TempFolder data, elsewhere;
  const std::string database = data.File("trips.db"), backup = elsewhere.File("backup.db");
  ManualClock clock;
  const auto open = [&clock](const std::string& path) {
    return SqliteTripStore::Open({.path = path, .clock = clock, .readers = 1});
  };
  auto store = open(database);
  ASSERT_THAT(store, IsOk());
  for (int ride = 0; ride < kRidesBefore; ++ride) Ride(**store, clock, ride);

  // Rides begin before the backup and go on until it is done.
  std::promise<void> writing;
  std::atomic<bool> backed_up_yet = false;
  std::future<int> load = std::async(std::launch::async, [&] {
    int ride = kRidesBefore;
    Ride(**store, clock, ride++);
    writing.set_value();
    while (!backed_up_yet.load()) Ride(**store, clock, ride++);
    Ride(**store, clock, ride++);
    return ride;
  });
  writing.get_future().wait();
  const absl::Status backed_up = BackUp(database, backup);
  backed_up_yet = true;
  const int next = load.get();
  ASSERT_THAT(backed_up, IsOk());
  const auto original = ReadAll(**store).value();
  store->reset();

  // The disk with the service's data is lost, with the write-ahead log.
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(database + suffix);
  std::filesystem::copy_file(backup, database);
  auto restored = open(database);
  ASSERT_THAT(restored, IsOk());
  const auto versions = ReadAll(**restored);  // Fails if the log has a gap.
  ASSERT_THAT(versions, IsOk());
  for (int ride = 0; ride <= kRidesBefore; ++ride) {
    EXPECT_EQ(versions->at(fmt::format("t{}", ride)), 5u) << "answered before the backup began";
  }
  for (const auto& [trip, version] : *versions) {
    EXPECT_LE(version, original.at(trip)) << "nothing but what happened";
  }
  EXPECT_LT(versions->size(), original.size()) << "a ride followed the backup";

  Ride(**restored, clock, next);
  EXPECT_EQ(ReadAll(**restored)->at(fmt::format("t{}", next)), 5u);
}

}  // namespace
}  // namespace ridestream::trip
