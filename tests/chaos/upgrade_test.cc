// The tool of `./ride upgrade`, with one version in both roles.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "libs/process/run_command.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_folder.h"

namespace ridestream::chaos {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::IsOk;

std::string Bin() {
  const char* bin = std::getenv("RIDESTREAM_BIN");
  return bin == nullptr ? "" : std::filesystem::absolute(bin).string();
}

absl::StatusOr<process::Finished> Upgrade(const std::string& older, const std::string& flags) {
  return process::RunCommand(fmt::format(
      "{}/upgrade --older={} --drivers=60 --clock_rate=20 {} 2>&1", Bin(), older, flags));
}

TEST(UpgradeTest, ReplacesEachServiceUnderLoadWithoutAFailedCall) {
  ASSERT_NE(Bin(), "") << "run by ctest, or set RIDESTREAM_BIN to the folder of the binaries";
  const auto finished = Upgrade(Bin(), "");
  ASSERT_THAT(finished, IsOk());
  EXPECT_EQ(finished->wait_status, 0) << finished->output;
  EXPECT_THAT(finished->output,
              AllOf(HasSubstr("trip, older version"), HasSubstr("location, older version"),
                    HasSubstr("dispatch, older version"),
                    HasSubstr("the audit is clean, and no call failed")));
}

TEST(UpgradeTest, ReportsWhyAnOlderVersionCannotComeBackAndAuditsTheRest) {
  ASSERT_NE(Bin(), "") << "run by ctest, or set RIDESTREAM_BIN to the folder of the binaries";
  // A trip that serves once, and then refuses the database.
  const ridestream::testing::TempFolder older;
  for (const char* name : {"location", "dispatch"}) {
    std::filesystem::create_symlink(Bin() + "/" + name, older.File(name));
  }
  std::ofstream(older.File("trip")) << fmt::format(
      "#!/bin/sh\n"
      "mkdir {0}/served 2>/dev/null && exec {1}/trip \"$@\"\n"
      "echo 'the schema is too new' >&2; exit 1\n",
      older.path(), Bin());
  std::filesystem::permissions(older.File("trip"), std::filesystem::perms::owner_all);

  const auto finished = Upgrade(older.path(), "");
  ASSERT_THAT(finished, IsOk());
  EXPECT_NE(finished->wait_status, 0) << finished->output;
  EXPECT_THAT(
      finished->output,
      AllOf(HasSubstr("trip, older version: it ended before it was ready: the schema is too new"),
            HasSubstr("dispatch, older version"), HasSubstr(", no violation")));

  std::filesystem::remove(older.File("served"));
  const auto forward = Upgrade(older.path(), "--rollback=false");
  ASSERT_THAT(forward, IsOk());
  EXPECT_EQ(forward->wait_status, 0) << forward->output;
}

}  // namespace
}  // namespace ridestream::chaos
