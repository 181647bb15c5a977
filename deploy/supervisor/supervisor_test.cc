// Runs the program itself, with small scripts in place of the services.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "libs/process/child_process.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_folder.h"

namespace ridestream::supervisor {
namespace {

using process::ChildProcess;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

/// Announces an address that holds its name, and exits with 0 when it is asked to stop.
constexpr char kService[] = R"(#!/bin/sh
trap 'echo "$0 drained" >&2; exit ${DRAIN_STATUS:-0}' TERM
name=$(basename "$0")
echo $$ >"$(dirname "$0")/$name.pid"
printf 'address=%s:1\nmetrics=%s:2\n' $name $name >"$RIDESTREAM_ADDRESS_FILE.new"
mv "$RIDESTREAM_ADDRESS_FILE.new" "$RIDESTREAM_ADDRESS_FILE"
while :; do sleep 0.05; done
)";

class SupervisorTest : public ::testing::Test {
 protected:
  SupervisorTest() {
    std::filesystem::create_directory(folder_.File("tmp"));
    for (const char* name : {"trip", "location", "dispatch", "gateway"}) AddScript(name, kService);
  }

  void AddScript(const std::string& name, const std::string& text) const {
    const std::string path = folder_.File(name);
    std::ofstream(path) << text;
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  }

  /// The supervisor with those services; its stderr is in the log.
  std::unique_ptr<ChildProcess> Start(const std::vector<std::string>& command,
                                      const std::vector<std::string>& flags = {}) const {
    const char* bin = std::getenv("RIDESTREAM_BIN");
    if (bin == nullptr) {
      ADD_FAILURE() << "run by ctest, or set RIDESTREAM_BIN to the folder of the binaries";
      return nullptr;
    }
    std::vector<std::string> arguments = {"--bin=" + folder_.path()};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    arguments.emplace_back("--");
    arguments.insert(arguments.end(), command.begin(), command.end());
    auto process = ChildProcess::Start({.binary = std::string(bin) + "/supervisor",
                                        .arguments = arguments,
                                        .log_path = folder_.File("log"),
                                        .environment = {{"TMPDIR", folder_.File("tmp")}}});
    EXPECT_THAT(process, testing::IsOk());
    return process.ok() ? *std::move(process) : nullptr;
  }

  /// Until the command has made the file `name`, or the supervisor has ended.
  static void AwaitFile(const std::string& path, const ChildProcess& process) {
    while (!std::filesystem::exists(path) && !process.HasEnded()) {
    }
  }

  std::string Read(const std::string& name) const {
    std::ifstream file(folder_.File(name));
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  std::string Log() const { return Read("log"); }
  bool Runs(const std::string& service) const {
    const int pid = std::atoi(Read(service + ".pid").c_str());
    EXPECT_GT(pid, 0) << service << " wrote no pid";
    return pid > 0 && kill(pid, 0) == 0;
  }
  std::vector<std::string> KeptFolders() const {
    std::vector<std::string> folders;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.File("tmp"))) {
      folders.push_back(entry.path());
    }
    return folders;
  }

  const testing::TempFolder folder_;
};

TEST_F(SupervisorTest, PassesTheServicesAddressesToTheCommand) {
  const auto supervisor =
      Start({"/bin/sh", "-c",
             "echo $RIDESTREAM_TRIP $RIDESTREAM_LOCATION $RIDESTREAM_DISPATCH $RIDESTREAM_GATEWAY "
             "$RIDESTREAM_TRIP_METRICS $RIDESTREAM_GATEWAY_METRICS >" +
                 folder_.File("seen")});
  ASSERT_NE(supervisor, nullptr);
  EXPECT_EQ(supervisor->Stop(0), 0) << Log();
  EXPECT_EQ(Read("seen"), "trip:1 location:1 dispatch:1 gateway:1 trip:2 gateway:2\n");
}

TEST_F(SupervisorTest, RoutesTheCommandThroughTheProxyAndFailsWhenItEnds) {
  if (!std::filesystem::exists("/usr/sbin/haproxy")) GTEST_SKIP() << "there is no HAProxy";
  // HAProxy looks up the names of what is behind it.
  std::string numeric = kService;
  const std::string named = "'address=%s:1\\nmetrics=%s:2\\n' $name $name";
  numeric.replace(numeric.find(named), named.size(),
                  "'address=127.0.0.1:1\\nmetrics=%s:2\\n' $name");
  for (const char* name : {"trip", "dispatch"}) AddScript(name, numeric);
  constexpr char kKillTheDoor[] = R"sh(
for child in $(cat /proc/$PPID/task/*/children); do
  [ "$(cat /proc/$child/comm)" != haproxy ] || kill -KILL $child
done
exec sleep 60)sh";
  const auto supervisor =
      Start({"/bin/sh", "-c",
             "echo $RIDESTREAM_TRIP $RIDESTREAM_DISPATCH $RIDESTREAM_LOCATION >" +
                 folder_.File("seen") + kKillTheDoor},
            {"--door=deploy/door/haproxy.cfg"});
  ASSERT_NE(supervisor, nullptr);
  EXPECT_EQ(process::DescribeWaitStatus(supervisor->Stop(0)), "exited with status 1");
  std::istringstream seen(Read("seen"));
  std::string trip, dispatch, location;
  seen >> trip >> dispatch >> location;
  EXPECT_THAT(trip, StartsWith("127.0.0.1:"));
  EXPECT_NE(trip, "127.0.0.1:1");
  EXPECT_EQ(trip, dispatch);
  EXPECT_EQ(location, "location:1");
  EXPECT_THAT(Log(), HasSubstr("the door ended by itself"));
}

TEST_F(SupervisorTest, StopsTheServicesAndRemovesTheirLogsWhenTheCommandSucceeds) {
  const auto supervisor = Start({"/bin/true"});
  ASSERT_NE(supervisor, nullptr);
  EXPECT_EQ(supervisor->Stop(0), 0) << Log();
  for (const char* name : {"trip", "location", "dispatch", "gateway"}) {
    EXPECT_FALSE(Runs(name)) << name;
  }
  EXPECT_THAT(KeptFolders(), IsEmpty());
}

TEST_F(SupervisorTest, ReturnsTheCommandsStatusAndKeepsTheLogs) {
  const auto supervisor = Start({"/bin/sh", "-c", "exit 7"});
  ASSERT_NE(supervisor, nullptr);
  EXPECT_EQ(process::DescribeWaitStatus(supervisor->Stop(0)), "exited with status 7") << Log();
  EXPECT_FALSE(Runs("trip"));
  const auto kept = KeptFolders();
  ASSERT_EQ(kept.size(), 1u);
  EXPECT_TRUE(std::filesystem::exists(kept[0] + "/trip.log"));
  EXPECT_THAT(Log(), HasSubstr(kept[0]));
  EXPECT_THAT(Log(),
              Not(HasSubstr("the end of trip's log")));  // The command has said why it failed.
}

TEST_F(SupervisorTest, PassesASignalOnAndWaitsForTheCommand) {
  const auto supervisor =
      Start({"/bin/sh", "-c",
             "trap 'echo reported >" + folder_.path() + "/report; exit 0' TERM; touch " +
                 folder_.path() + "/ready; while :; do sleep 0.05; done"});
  ASSERT_NE(supervisor, nullptr);
  AwaitFile(folder_.File("ready"), *supervisor);
  EXPECT_EQ(supervisor->Stop(SIGINT), 0) << Log();
  EXPECT_EQ(Read("report"), "reported\n");
}

TEST_F(SupervisorTest, KillsTheCommandAtTheThirdSignal) {
  // A command that notes each request to stop and goes on.
  const auto supervisor =
      Start({"/bin/sh", "-c",
             "cd " + folder_.path() +
                 "; asked=0; trap 'asked=$((asked + 1)); touch asked$asked' TERM; touch ready; "
                 "while :; do sleep 0.05; done"});
  ASSERT_NE(supervisor, nullptr);
  AwaitFile(folder_.File("ready"), *supervisor);
  supervisor->Signal(SIGINT);
  AwaitFile(folder_.File("asked1"), *supervisor);
  supervisor->Signal(SIGINT);
  AwaitFile(folder_.File("asked2"), *supervisor);
  EXPECT_FALSE(supervisor->HasEnded());
  EXPECT_EQ(process::DescribeWaitStatus(supervisor->Stop(SIGTERM)), "exited with status 137")
      << Log();
  EXPECT_FALSE(Runs("trip"));
}

TEST_F(SupervisorTest, FailsWhenAServiceEndsByItself) {
  const auto supervisor = Start(
      {"/bin/sh", "-c", "kill -KILL $(cat " + folder_.path() + "/dispatch.pid); exec sleep 60"});
  ASSERT_NE(supervisor, nullptr);
  EXPECT_EQ(process::DescribeWaitStatus(supervisor->Stop(0)), "exited with status 1");
  EXPECT_THAT(Log(), HasSubstr("dispatch ended by itself"));
  EXPECT_FALSE(Runs("trip"));
}

TEST_F(SupervisorTest, FailsWithTheLogOfAServiceThatDoesNotStart) {
  AddScript("dispatch", "#!/bin/sh\necho 'it begins' >&2\necho 'the port is taken' >&2\nexit 1\n");
  const auto supervisor = Start({"/bin/touch", folder_.File("ran")});
  ASSERT_NE(supervisor, nullptr);
  EXPECT_EQ(process::DescribeWaitStatus(supervisor->Stop(0)), "exited with status 1");
  EXPECT_THAT(Log(), HasSubstr("dispatch"));
  EXPECT_THAT(Log(),
              HasSubstr("supervisor: dispatch: it ended before it was ready: the port is taken\n"
                        "the log before that:\nit begins\n"));
  EXPECT_FALSE(std::filesystem::exists(folder_.File("ran")));
  EXPECT_FALSE(Runs("trip"));
}

TEST_F(SupervisorTest, FailsWhenAServiceDoesNotDrainWell) {
  AddScript("location", std::string(kService).replace(0, 10, "#!/bin/sh\nDRAIN_STATUS=3\n"));
  const auto supervisor = Start({"/bin/true"});
  ASSERT_NE(supervisor, nullptr);
  EXPECT_EQ(process::DescribeWaitStatus(supervisor->Stop(0)), "exited with status 1");
  EXPECT_THAT(Log(), HasSubstr("location exited with status 3"));
  EXPECT_THAT(Log(), HasSubstr("the end of location's log"));
  EXPECT_THAT(Log(), Not(HasSubstr("trip exited")));
}

TEST_F(SupervisorTest, RefusesADatabaseThatTheStoreDoesNotUse) {
  for (const std::vector<std::string>& flags : std::vector<std::vector<std::string>>{
           {"--postgres=postgresql://db/trips"}, {"--store=postgre"}}) {
    const auto supervisor = Start({"/bin/touch", folder_.File("ran")}, flags);
    ASSERT_NE(supervisor, nullptr);
    EXPECT_EQ(process::DescribeWaitStatus(supervisor->Stop(0)), "exited with status 1") << Log();
    EXPECT_THAT(Log(), HasSubstr("supervisor: --store=")) << flags[0];
    EXPECT_FALSE(std::filesystem::exists(folder_.File("trip.pid")));
    EXPECT_FALSE(std::filesystem::exists(folder_.File("ran")));
  }
}

TEST_F(SupervisorTest, NamesTheCommandThatCannotBeStarted) {
  const auto supervisor = Start({folder_.File("none")});
  ASSERT_NE(supervisor, nullptr);
  EXPECT_EQ(process::DescribeWaitStatus(supervisor->Stop(0)), "exited with status 1");
  EXPECT_THAT(Log(), HasSubstr(folder_.File("none")));
}

TEST_F(SupervisorTest, RunsWithoutACommandUntilItIsAskedToStop) {
  const auto supervisor = Start({});
  ASSERT_NE(supervisor, nullptr);
  AwaitFile(folder_.path() + "/gateway.pid", *supervisor);
  EXPECT_EQ(supervisor->Stop(SIGTERM), 0) << Log();
  EXPECT_FALSE(Runs("gateway"));
}

}  // namespace
}  // namespace ridestream::supervisor
