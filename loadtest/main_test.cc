// Runs the program as people do.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "libs/process/child_process.h"
#include "libs/process/run_command.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_folder.h"

namespace ridestream::loadtest {
namespace {

using testing::IsOk;
using ::testing::StartsWith;

std::string Bin() {
  const char* bin = std::getenv("RIDESTREAM_BIN");
  EXPECT_NE(bin, nullptr) << "run by ctest, or set RIDESTREAM_BIN to the folder of the binaries";
  return bin == nullptr ? "" : bin;
}

TEST(LoadtestTest, ChecksItsFlagsWithoutServices) {
  const testing::TempFolder folder;
  const auto check = [](const std::string& flags) {
    const auto finished =
        process::RunCommand(fmt::format("{}/loadtest --check_flags {} 2>&1", Bin(), flags));
    EXPECT_THAT(finished, IsOk());
    return finished.ok() ? *finished : process::Finished();
  };
  const process::Finished right = check("--drivers 5 --json " + folder.File("report.json"));
  EXPECT_EQ(right.wait_status, 0) << right.output;
  EXPECT_EQ(right.output, "");
  for (const char* flag : {"--accept_probability=0.95", "--requests=/nowhere.csv",
                           "--fleet=/nowhere.csv", "--json=/nowhere/report.json"}) {
    const process::Finished wrong = check(flag);
    EXPECT_EQ(process::DescribeWaitStatus(wrong.wait_status), "exited with status 2") << flag;
    EXPECT_THAT(wrong.output, StartsWith("loadtest: ")) << flag;
  }
  EXPECT_EQ(process::DescribeWaitStatus(check("--nope").wait_status), "exited with status 1");
}

}  // namespace
}  // namespace ridestream::loadtest
