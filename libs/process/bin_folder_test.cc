#include "libs/process/bin_folder.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace ridestream::process {
namespace {

TEST(BinFolderTest, IsTheFolderOfTheProgramUnlessOneIsNamed) {
  EXPECT_EQ(BinFolder("elsewhere/bin"), "elsewhere/bin");
  EXPECT_TRUE(std::filesystem::path(BinFolder("")).is_absolute());
  EXPECT_TRUE(std::filesystem::exists(BinFolder("") + "/process_test"));
}

}  // namespace
}  // namespace ridestream::process
