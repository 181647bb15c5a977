#include "libs/process/temporary_folder.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include "libs/testing/status_matchers.h"

namespace ridestream::process {
namespace {

namespace fs = std::filesystem;
using ridestream::testing::IsOk;

TEST(TemporaryFolderTest, IsRemovedWithItsFiles) {
  std::string path;
  {
    const auto folder = TemporaryFolder::Make();
    ASSERT_THAT(folder, IsOk());
    path = folder->path();
    std::ofstream(path + "/file") << "x";
    EXPECT_TRUE(fs::exists(path + "/file"));
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST(TemporaryFolderTest, MovesAndStaysIfItIsKept) {
  std::string path;
  {
    TemporaryFolder kept;
    EXPECT_EQ(kept.path(), "");
    auto made = TemporaryFolder::Make();
    ASSERT_THAT(made, IsOk());
    path = made->path();
    kept = *std::move(made);
    EXPECT_EQ(kept.path(), path);
    kept.Keep();
  }
  EXPECT_TRUE(fs::remove(path));
}

}  // namespace
}  // namespace ridestream::process
