#include "libs/process/run_command.h"

#include <gtest/gtest.h>

#include "libs/process/child_process.h"
#include "libs/testing/status_matchers.h"

namespace ridestream::process {
namespace {

TEST(RunCommandTest, ReturnsWhatTheCommandWroteAndHowItEnded) {
  const auto good = RunCommand("echo one; echo two >&2; echo three");
  ASSERT_THAT(good, testing::IsOk());
  EXPECT_EQ(good->output, "one\nthree\n");
  EXPECT_EQ(good->wait_status, 0);

  const auto bad = RunCommand("(echo one; echo two >&2; exit 3) 2>&1");
  ASSERT_THAT(bad, testing::IsOk());
  EXPECT_EQ(bad->output, "one\ntwo\n");
  EXPECT_EQ(DescribeWaitStatus(bad->wait_status), "exited with status 3");
}

}  // namespace
}  // namespace ridestream::process
