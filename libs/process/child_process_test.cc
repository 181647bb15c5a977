#include "libs/process/child_process.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_folder.h"

namespace ridestream::process {
namespace {

using testing::IsOk;
using testing::StatusIs;

class ChildProcessTest : public ::testing::Test {
 protected:
  /// A shell that runs `script`, its stderr in the log.
  absl::StatusOr<std::unique_ptr<ChildProcess>> RunScript(const std::string& script) const {
    return ChildProcess::Start(
        {.binary = "/bin/sh", .arguments = {"-c", script}, .log_path = folder_.File("log")});
  }

  const testing::TempFolder folder_;
};

TEST_F(ChildProcessTest, ReturnsTheAddressThatTheServiceAnnounces) {
  const auto process = RunScript(
      "printf 'address=127.0.0.1:7001\\nmetrics=127.0.0.1:7101\\n' >$RIDESTREAM_ADDRESS_FILE.new;"
      "mv $RIDESTREAM_ADDRESS_FILE.new $RIDESTREAM_ADDRESS_FILE; exec sleep 60");
  ASSERT_THAT(process, IsOk());
  const auto address = (*process)->WaitUntilServing();
  ASSERT_THAT(address, IsOk());
  EXPECT_EQ(*address, "127.0.0.1:7001");
  EXPECT_EQ((*process)->Announced("metrics"), "127.0.0.1:7101");
  EXPECT_EQ((*process)->Announced("other"), "");
  EXPECT_FALSE((*process)->HasEnded());
}

TEST_F(ChildProcessTest, ReportsTheLogOfAServiceThatEndsBeforeItServes) {
  const auto process = RunScript("echo 'the disk is full' >&2; exit 3");
  ASSERT_THAT(process, IsOk());
  EXPECT_THAT((*process)->WaitUntilServing(),
              StatusIs(absl::StatusCode::kUnavailable, "the disk is full"));
  EXPECT_EQ(DescribeWaitStatus((*process)->Stop(0)), "exited with status 3");
}

TEST_F(ChildProcessTest, GivesUpOnAServiceThatNeverAnnouncesItself) {
  const auto process = RunScript("exec sleep 60");
  ASSERT_THAT(process, IsOk());
  EXPECT_THAT((*process)->WaitUntilServing(std::chrono::seconds(0)),
              StatusIs(absl::StatusCode::kDeadlineExceeded, "not ready"));
}

TEST_F(ChildProcessTest, CpuTimeIncludesThatOfItsChildrenThatHaveEnded) {
  const auto process = RunScript(
      "(i=0; while [ $i -lt 200000 ]; do i=$((i + 1)); done);"
      "echo address=127.0.0.1:7001 >$RIDESTREAM_ADDRESS_FILE.new;"
      "mv $RIDESTREAM_ADDRESS_FILE.new $RIDESTREAM_ADDRESS_FILE; exec sleep 60");
  ASSERT_THAT(process, IsOk());
  ASSERT_THAT((*process)->WaitUntilServing(), IsOk());
  const auto cpu = (*process)->CpuTime();
  ASSERT_THAT(cpu, IsOk());
  EXPECT_GE(*cpu, std::chrono::milliseconds(20));
  EXPECT_LT(*cpu, std::chrono::seconds(30));
}

TEST_F(ChildProcessTest, EndsByTheSignalThatItIsSent) {
  const auto process = RunScript("exec sleep 60");
  ASSERT_THAT(process, IsOk());
  EXPECT_EQ(DescribeWaitStatus((*process)->Stop(SIGTERM)), "ended by signal 15");
  EXPECT_TRUE((*process)->HasEnded());
}

TEST_F(ChildProcessTest, AddsAndReplacesEnvironmentVariables) {
  ASSERT_EQ(setenv("CHILD_PROCESS_TEST", "parent", 1), 0);
  const auto process = ChildProcess::Start({.binary = "/bin/sh",
                                            .arguments = {"-c", "test $CHILD_PROCESS_TEST = child"},
                                            .environment = {{"CHILD_PROCESS_TEST", "child"}}});
  ASSERT_THAT(process, IsOk());
  EXPECT_EQ((*process)->Stop(0), 0);
}

TEST_F(ChildProcessTest, LeavesNoFileBehind) {
  std::string address_file;
  {
    const auto process = RunScript("echo $RIDESTREAM_ADDRESS_FILE >&2");
    ASSERT_THAT(process, IsOk());
    (*process)->Stop(0);
    std::getline(std::ifstream(folder_.File("log")) >> std::ws, address_file);
    EXPECT_TRUE(std::filesystem::exists(address_file)) << address_file;
  }
  EXPECT_FALSE(std::filesystem::exists(address_file)) << address_file;
}

TEST_F(ChildProcessTest, NamesTheBinaryThatCannotBeStarted) {
  EXPECT_THAT(ChildProcess::Start({.binary = folder_.File("none")}),
              StatusIs(absl::StatusCode::kNotFound, folder_.File("none")));
}

}  // namespace
}  // namespace ridestream::process
