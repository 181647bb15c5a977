// A service whose flags make no sense doesn't start, and says which.

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "libs/process/child_process.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_folder.h"

namespace ridestream::e2e {
namespace {

struct BadFlag {
  const char* service;
  const char* flag;
  const char* value;
};

class BadFlagTest : public ::testing::TestWithParam<BadFlag> {};

TEST_P(BadFlagTest, EndsTheServiceWithALineThatNamesIt) {
  const char* bin = std::getenv("RIDESTREAM_BIN");
  ASSERT_NE(bin, nullptr) << "run by ctest, or set RIDESTREAM_BIN to the folder of the binaries";
  const auto& [service, flag, value] = GetParam();
  const std::string argument = std::string("--") + flag + "=" + value;
  const ridestream::testing::TempFolder folder;
  std::vector<std::string> arguments = {"--listen=127.0.0.1:0", "--insecure", argument};
  if (service == std::string("trip")) arguments.push_back("--data=" + folder.File("data"));
  auto process = process::ChildProcess::Start({.binary = std::string(bin) + "/" + service,
                                               .arguments = arguments,
                                               .log_path = folder.File("log")});
  ASSERT_THAT(process, testing::IsOk());
  // The error holds the log's end.
  EXPECT_THAT((*process)->WaitUntilServing(),
              testing::StatusIs(absl::StatusCode::kUnavailable, std::string("--") + flag + "="))
      << argument;
  const int status = (*process)->Stop(SIGKILL);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) != 0) << argument;
}

INSTANTIATE_TEST_SUITE_P(
    AllServices, BadFlagTest,
    ::testing::Values(
        BadFlag{"dispatch", "report_every", "0s"}, BadFlag{"dispatch", "report_every", "-1s"},
        BadFlag{"dispatch", "report_every", "2h"}, BadFlag{"dispatch", "suspect_after", "0s"},
        BadFlag{"dispatch", "suspect_after", "inf"}, BadFlag{"dispatch", "lost_after", "-1s"},
        BadFlag{"dispatch", "offer_lease", "0s"}, BadFlag{"dispatch", "match_every", "0s"},
        BadFlag{"dispatch", "max_wait", "0s"}, BadFlag{"dispatch", "candidates", "0"},
        BadFlag{"dispatch", "candidates", "1001"}, BadFlag{"dispatch", "max_sessions", "0"},
        BadFlag{"dispatch", "drain_grace", "-1s"},
        BadFlag{"dispatch", "metrics_listen", "somewhere"}, BadFlag{"trip", "reader_threads", "0"},
        BadFlag{"trip", "router_threads", "65"}, BadFlag{"trip", "quote_lifetime", "999ms"},
        BadFlag{"trip", "drain_grace", "2h"}, BadFlag{"trip", "metrics_listen", ""},
        BadFlag{"trip", "store", "oracle"}, BadFlag{"location", "staleness", "0s"},
        BadFlag{"location", "max_drivers", "0"}, BadFlag{"location", "max_markets", "0"},
        BadFlag{"location", "drain_grace", "-1s"},
        BadFlag{"location", "metrics_listen", "127.0.0.1"}, BadFlag{"gateway", "threads", "0"},
        BadFlag{"gateway", "max_connections", "0"}, BadFlag{"gateway", "max_body_bytes", "1"},
        BadFlag{"gateway", "stall_timeout", "0s"}, BadFlag{"gateway", "drain_grace", "-1s"},
        BadFlag{"gateway", "allow_origins", "ops.example"}, BadFlag{"gateway", "web", "/nowhere"},
        BadFlag{"gateway", "metrics_listen", "127.0.0.1"}),
    [](const auto& bad) {
      return std::string(bad.param.service) + "_" + bad.param.flag + "_" +
             std::to_string(bad.index);
    });

}  // namespace
}  // namespace ridestream::e2e
