// Runs the program as users do.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

#include "libs/process/authority.h"
#include "libs/process/child_process.h"
#include "libs/process/local_services.h"
#include "libs/process/run_command.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_folder.h"

namespace ridestream::loadtest {
namespace {

using ::testing::HasSubstr;
using testing::IsOk;
using ::testing::StartsWith;

std::string Bin() {
  const char* bin = std::getenv("RIDESTREAM_BIN");
  EXPECT_NE(bin, nullptr) << "run by ctest, or set RIDESTREAM_BIN to the folder of the binaries";
  return bin == nullptr ? "" : bin;
}

std::string Read(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
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

TEST(LoadtestTest, ReportsAtOnceAtTheSecondSignal) {
  const testing::TempFolder folder;
  const auto services = process::LocalServices::Start({.bin = Bin(),
                                                       .trip_flags = {"--clock_rate=10"},
                                                       .location_flags = {"--clock_rate=10"},
                                                       .dispatch_flags = {"--clock_rate=10"}});
  ASSERT_THAT(services, IsOk());
  const std::string out = folder.File("out"), offers = folder.File("offers");
  const std::string command = fmt::format(
      "exec {}/loadtest --trip={} --location={} --dispatch={} {} --clock_rate=10 --drivers=20 "
      "--seconds=3600 --requests_per_hour=3600 --json={} --offers={} >{} 2>&1",
      Bin(), (*services)->trip(), (*services)->location(), (*services)->dispatch(),
      process::LoadtestSecurityFlag((*services)->authority()), folder.File("report.json"), offers,
      out);
  auto city = process::ChildProcess::Start({.binary = "/bin/sh", .arguments = {"-c", command}});
  ASSERT_THAT(city, IsOk());
  const auto await = [&](const std::string& path, const std::string& text) {
    while (Read(path).find(text) == std::string::npos && !(*city)->HasEnded()) {
    }
  };
  await(offers, "\n1");  // After the heading, lines begin with a Unix time.
  (*city)->Signal(SIGINT);
  await(out, "stopping: open trips get up to 120 s to end; press Ctrl-C again to end at once\n");
  ASSERT_FALSE((*city)->HasEnded()) << Read(out);
  const int status = (*city)->Stop(SIGINT);
  EXPECT_EQ(process::DescribeWaitStatus(status), "exited with status 1") << Read(out);
  EXPECT_THAT(Read(out), HasSubstr("ending at once; the report follows\n"));
  EXPECT_THAT(Read(out), HasSubstr("NOT AUDITED: the run was ended while"));
  const auto report = nlohmann::json::parse(Read(folder.File("report.json")), nullptr, false);
  ASSERT_FALSE(report.is_discarded());
  EXPECT_GT(report["requested"], 0);
}

}  // namespace
}  // namespace ridestream::loadtest
