// What disks do: fill up, lose their power, come back with a part of a file, forbid writing.

#include <fmt/format.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "gtest/gtest.h"
#include "libs/sqlite/testing/fault_vfs.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_folder.h"
#include "services/trip/storage/data_folder.h"
#include "services/trip/storage/sqlite_trip_store.h"
#include "services/trip/testing/rides.h"

namespace ridestream::trip {
namespace {

using namespace testing;  // NOLINT: samples.
using ridestream::testing::IsOk;
using ridestream::testing::StatusIs;
using ridestream::testing::TempFolder;
using ridestream::testing::WithoutRights;
using sqlite::testing::FaultVfs;
using Versions = std::map<std::string, std::uint64_t>;

class DiskTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<SqliteTripStore>> Open(const std::string& path,
                                                        const std::string& vfs = "") {
    return SqliteTripStore::Open({.path = path, .clock = clock_, .readers = 1, .vfs = vfs});
  }
  /// Completes this many rides and closes. Returns the recorded trips.
  Versions Fill(const std::string& path, int rides) {
    auto store = Open(path);
    EXPECT_THAT(store, IsOk());
    for (int i = 0; i < rides; ++i) {
      for (Command& command : RideCommands(**store, clock_, i)) {
        EXPECT_THAT(Await(**store, std::move(command)), IsOk());
      }
    }
    const auto versions = ReadAll(**store);
    EXPECT_THAT(versions, IsOk());
    return versions.value_or(Versions());
  }
  static std::string Bytes(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  static void Write(const std::string& path, std::string_view bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
  }

  ManualClock clock_;
  FaultVfs disk_;
};

TEST_F(DiskTest, AFullDiskRefusesCommandsAndNothingIsLostOnceThereIsSpace) {
  for (std::uint64_t room = 0; room <= 150'000; room += 15'000) {
    SCOPED_TRACE(fmt::format("room for {} bytes", room));
    TempFolder folder;
    auto store = Open(folder.File("trips.db"), disk_.name());
    ASSERT_THAT(store, IsOk());
    std::vector<Command> commands;
    for (int ride = 0; ride < 4; ++ride) {
      for (Command& command : RideCommands(**store, clock_, ride)) {
        commands.push_back(std::move(command));
      }
    }
    disk_.LeaveRoom(room);
    std::size_t answered = 0;
    for (; answered < commands.size(); ++answered) {
      const auto trip = Await(**store, commands[answered]);
      if (trip.ok()) continue;
      EXPECT_THAT(trip, StatusIs(absl::StatusCode::kUnavailable, "full"));
      break;
    }
    EXPECT_LT(answered, commands.size()) << "the disk never filled";
    EXPECT_EQ((*store)->LastSequence(), answered) << "what was answered, and nothing else";
    EXPECT_THAT(ReadAll(**store), IsOk()) << "reading needs no room";

    disk_.LeaveRoom();
    for (const Command& command : commands) EXPECT_THAT(Await(**store, command), IsOk());
    store->reset();
    store = Open(folder.File("trips.db"));
    ASSERT_THAT(store, IsOk());
    EXPECT_EQ(ReadAll(**store).value(), (Versions{{"t0", 5}, {"t1", 5}, {"t2", 5}, {"t3", 5}}));
  }
}

TEST_F(DiskTest, ADiskThatIsFullAtTheStartIsNamed) {
  TempFolder folder;
  disk_.LeaveRoom(5'000);
  EXPECT_THAT(Open(folder.File("trips.db"), disk_.name()),
              StatusIs(absl::StatusCode::kUnavailable, "full"));
  disk_.LeaveRoom();
  EXPECT_THAT(Open(folder.File("trips.db"), disk_.name()), IsOk());
}

TEST_F(DiskTest, AFolderThatMayOnlyBeReadIsPermissionDenied) {
  namespace fs = std::filesystem;
  TempFolder folder;
  Fill(folder.File("trips.db"), 1);
  fs::permissions(folder.File("trips.db"), fs::perms::others_read | fs::perms::owner_read);
  fs::permissions(folder.path(), fs::perms::others_read | fs::perms::others_exec |
                                     fs::perms::owner_read | fs::perms::owner_exec);
  WithoutRights without;
  EXPECT_THAT(DataFolder::Acquire(folder.path()),
              StatusIs(absl::StatusCode::kPermissionDenied, folder.path()));
  EXPECT_THAT(Open(folder.File("trips.db")),
              StatusIs(absl::StatusCode::kPermissionDenied, folder.File("trips.db")));
}

TEST_F(DiskTest, FilesOfTripsAreReadableByTheirOwnerOnly) {
  const TempFolder parent;
  const mode_t before = umask(0);  // Whatever the user's habits are.
  const auto folder = DataFolder::Acquire(parent.File("data"));
  ASSERT_THAT(folder, IsOk());
  const auto store = Open(folder->database_path());
  ASSERT_THAT(store, IsOk());
  ASSERT_THAT(Await(**store, RideCommands(**store, clock_, 0).front()), IsOk());
  umask(before);
  using std::filesystem::perms;
  EXPECT_EQ(std::filesystem::status(parent.File("data")).permissions(), perms::owner_all);
  for (const auto& file : std::filesystem::directory_iterator(parent.File("data"))) {
    EXPECT_EQ(file.status().permissions(), perms::owner_read | perms::owner_write) << file.path();
  }
  EXPECT_TRUE(std::filesystem::exists(folder->database_path() + "-wal"));
}

TEST_F(DiskTest, OlderFilesThatOthersCouldReadBecomePrivate) {
  const TempFolder folder;
  for (const char* name : {"trips.db", "trips.db-wal", "trips.db-shm"}) {
    std::ofstream(folder.File(name)).close();
    std::filesystem::permissions(folder.File(name), std::filesystem::perms::all);
  }
  ASSERT_THAT(DataFolder::Acquire(folder.path()), IsOk());
  for (const char* name : {"trips.db", "trips.db-wal", "trips.db-shm"}) {
    EXPECT_EQ(std::filesystem::status(folder.File(name)).permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write)
        << name;
  }
}

TEST_F(DiskTest, AFileCutAnywhereIsRefusedOrReadWhole) {
  TempFolder folder;
  const Versions whole = Fill(folder.File("trips.db"), 20);
  const std::string bytes = Bytes(folder.File("trips.db"));
  ASSERT_FALSE(std::filesystem::exists(folder.File("trips.db-wal"))) << "closing leaves one file";
  int refused = 0;
  for (std::size_t size = 512; size < bytes.size(); size += 1'536) {
    SCOPED_TRACE(fmt::format("cut at {} of {}", size, bytes.size()));
    TempFolder copy;
    Write(copy.File("trips.db"), std::string_view(bytes).substr(0, size));
    const auto store = Open(copy.File("trips.db"));
    if (store.ok()) {
      ADD_FAILURE() << "a file of which a part is missing was opened";
      continue;
    }
    EXPECT_THAT(store, StatusIs(absl::StatusCode::kDataLoss, "restore it from a backup"));
    ++refused;
  }
  EXPECT_GT(refused, 40);
}

TEST_F(DiskTest, AWalCutAnywhereLeavesWhatCameBeforeAndTheStoreGoesOn) {
  TempFolder folder;
  std::string file, wal;
  {
    auto store = Open(folder.File("trips.db"));
    ASSERT_THAT(store, IsOk());
    for (int i = 0; i < 4; ++i) {
      for (Command& command : RideCommands(**store, clock_, i)) {
        ASSERT_THAT(Await(**store, std::move(command)), IsOk());
      }
    }
    file = Bytes(folder.File("trips.db"));  // While it is open: nothing is moved into the file yet.
    wal = Bytes(folder.File("trips.db-wal"));
  }
  std::uint64_t before = 0;
  for (std::size_t size = 0; size <= wal.size(); size += 7'000) {
    SCOPED_TRACE(fmt::format("cut at {} of {}", size, wal.size()));
    TempFolder copy;
    Write(copy.File("trips.db"), file);
    Write(copy.File("trips.db-wal"), std::string_view(wal).substr(0, size));
    auto store = Open(copy.File("trips.db"));
    ASSERT_THAT(store, IsOk());
    EXPECT_THAT(ReadAll(**store), IsOk());
    EXPECT_GE((*store)->LastSequence(), before) << "more of the WAL is never less of the log";
    before = (*store)->LastSequence();
    for (Command& command : RideCommands(**store, clock_, 100)) {
      EXPECT_THAT(Await(**store, std::move(command)), IsOk());
    }
  }
  EXPECT_GE(before, 19u);
}

TEST_F(DiskTest, AnsweredCommandsSurviveAPowerCut) {
  TempFolder folder;
  TempFolder synced;
  disk_.KeepSynced(synced.path());
  auto store = Open(folder.File("trips.db"), disk_.name());
  ASSERT_THAT(store, IsOk());
  std::uint64_t answered = 0;
  for (int ride = 0; ride < 10; ++ride) {
    for (Command& command : RideCommands(**store, clock_, ride)) {
      ASSERT_THAT(Await(**store, std::move(command)), IsOk());
      ++answered;
      // The power goes here.
      TempFolder after;
      std::filesystem::copy(synced.path(), after.path());
      const auto again = Open(after.File("trips.db"));
      ASSERT_THAT(again, IsOk());
      EXPECT_EQ((*again)->LastSequence(), answered);
      EXPECT_THAT(ReadAll(**again), IsOk());
    }
  }
}

}  // namespace
}  // namespace ridestream::trip
