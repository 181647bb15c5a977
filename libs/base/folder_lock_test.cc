#include "libs/base/folder_lock.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_folder.h"

namespace ridestream {
namespace {

using testing::IsOk;
using testing::StatusIs;
using testing::TempFolder;

TEST(FolderLockTest, NamesTheProcessThatHoldsTheFolder) {
  const TempFolder folder;
  {
    const auto first = FolderLock::Acquire(folder.path());
    ASSERT_THAT(first, IsOk());
    EXPECT_THAT(FolderLock::Acquire(folder.path()),
                StatusIs(absl::StatusCode::kFailedPrecondition,
                         fmt::format("is in use by process {} on host ", getpid())));
    EXPECT_THAT(FolderLock::Acquire(folder.path()),
                StatusIs(absl::StatusCode::kFailedPrecondition, "a folder of its own"));
  }
  EXPECT_THAT(FolderLock::Acquire(folder.path()), IsOk()) << "the holder has ended";
}

TEST(FolderLockTest, WithoutRightsItIsPermissionDenied) {
  const testing::WithoutRights without_rights;
  EXPECT_THAT(FolderLock::Acquire("/"),
              StatusIs(absl::StatusCode::kPermissionDenied, "can't lock"));
}

TEST(FolderLockTest, NeedsTheFolder) {
  const TempFolder folder;
  EXPECT_THAT(FolderLock::Acquire(folder.File("missing")),
              StatusIs(absl::StatusCode::kFailedPrecondition, "can't lock"));
}

}  // namespace
}  // namespace ridestream
