// A service with invalid flags doesn't start, and names them. The ranges in --help are those that
// are enforced.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <cctype>
#include <cstdlib>
#include <regex>
#include <string>
#include <vector>

#include "libs/process/child_process.h"
#include "libs/process/run_command.h"
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
  // The error contains the log's end.
  EXPECT_THAT((*process)->WaitUntilServing(),
              testing::StatusIs(absl::StatusCode::kUnavailable, std::string("--") + flag + "="))
      << argument;
  const int status = (*process)->Stop(SIGKILL);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) != 0) << argument;
}

INSTANTIATE_TEST_SUITE_P(
    AllServices, BadFlagTest,
    ::testing::Values(
        BadFlag{"trip", "trace_to", "collector"}, BadFlag{"trip", "trace_to", "collector:0"},
        BadFlag{"trip", "trace_sample", "1.1"}, BadFlag{"dispatch", "report_every", "0s"},
        BadFlag{"dispatch", "report_every", "-1s"}, BadFlag{"dispatch", "report_every", "2h"},
        BadFlag{"dispatch", "suspect_after", "0s"}, BadFlag{"dispatch", "drop_after", "14s"},
        BadFlag{"dispatch", "max_radius_m", "1999"},
        BadFlag{"exporter", "positions_topic", "ridestream.trips"},
        BadFlag{"exporter", "positions_topic", "ridestream.trips.position"},
        BadFlag{"gateway", "max_all_body_bytes", "1024"},
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

/// How the binary ended with this argument, and its stdout and stderr.
process::Finished RunToEnd(const std::string& binary, const std::string& argument,
                           const std::string& environment = "") {
  const char* bin = std::getenv("RIDESTREAM_BIN");
  EXPECT_NE(bin, nullptr) << "run by ctest, or set RIDESTREAM_BIN to the folder of the binaries";
  if (bin == nullptr) return {};
  const auto finished =
      process::RunCommand(fmt::format("{} {}/{} {} 2>&1", environment, bin, binary, argument));
  EXPECT_THAT(finished, testing::IsOk());
  return finished.ok() ? *finished : process::Finished();
}

struct NumberFlag {
  std::string name;
  std::string help;
};

/// The flags of --help whose default is a number or a duration.
std::vector<NumberFlag> NumberFlagsOf(const std::string& binary) {
  const std::string help =
      std::regex_replace(RunToEnd(binary, "--help").output, std::regex(R"(\s+)"), " ");
  const std::regex flag(R"(--(\w+) \(([^;]|;(?! default:))*\); default: ([-0-9][^ ]*);)");
  std::vector<NumberFlag> flags;
  for (std::sregex_iterator it(help.begin(), help.end(), flag), end; it != end; ++it) {
    flags.push_back({(*it)[1], it->str()});
  }
  return flags;
}

/// A value below the range and one above it, as far as the flag's type has such values.
std::vector<std::string> ValuesOutside(const std::string& low, const std::string& high,
                                       bool or_zero) {
  if (std::isalpha(static_cast<unsigned char>(high.back()))) {
    return {low == "0" ? "-1s" : "1ns", "1000000h"};
  }
  std::vector<std::string> values = {fmt::format("{:.0f}", std::stod(high) + 1)};
  if (low != "0" && !or_zero) values.push_back("0");
  return values;
}

class FlagsOfHelpTest : public ::testing::TestWithParam<const char*> {};

TEST_P(FlagsOfHelpTest, EachNumberHasTheRangeThatHelpNames) {
  const std::string binary = GetParam();
  const std::vector<NumberFlag> flags = NumberFlagsOf(binary);
  EXPECT_GE(flags.size(), 5u);
  const std::regex range(R"(\. Range: (0 or )?(\S+) to (\S+)\); default)");
  for (const NumberFlag& flag : flags) {
    if (flag.name == "seed") continue;  // Any will do.
    std::smatch named;
    ASSERT_TRUE(std::regex_search(flag.help, named, range)) << flag.help;
    for (const std::string& value : ValuesOutside(named[2], named[3], named[1].matched)) {
      const std::string argument = fmt::format("--{}={}", flag.name, value);
      const process::Finished run = RunToEnd(binary, argument);
      EXPECT_EQ(process::DescribeWaitStatus(run.wait_status), "exited with status 2") << argument;
      EXPECT_THAT(run.output, ::testing::HasSubstr(fmt::format("--{}=", flag.name))) << argument;
      EXPECT_THAT(run.output,
                  ::testing::HasSubstr(fmt::format("must be in {}{} to {}", named[1].str(),
                                                   named[2].str(), named[3].str())))
          << argument;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Binaries, FlagsOfHelpTest,
                         ::testing::Values("trip", "location", "dispatch", "gateway", "loadtest"),
                         [](const auto& binary) { return std::string(binary.param); });

class HelpTest : public ::testing::TestWithParam<const char*> {};

TEST_P(HelpTest, ShowsWhatTheProgramIsForAndItsFlags) {
  const std::string help = RunToEnd(GetParam(), "--help").output;
  EXPECT_THAT(help, ::testing::StartsWith(fmt::format("{}: ", GetParam())));
  EXPECT_THAT(help, ::testing::Not(::testing::HasSubstr("SetProgramUsageMessage")));
  EXPECT_THAT(help, ::testing::ContainsRegex(" --[a-z_]+ \\("));
}

INSTANTIATE_TEST_SUITE_P(Binaries, HelpTest,
                         ::testing::Values("authority", "chaos", "dispatch", "exporter", "failover",
                                           "gateway", "healthprobe", "kafka_bench", "loadtest",
                                           "location", "matching_bench", "roads_bench",
                                           "scale_bench", "sim", "stream_bench", "supervisor",
                                           "takeover", "trip", "upgrade"),
                         [](const auto& binary) { return std::string(binary.param); });

TEST(FlagRangesTest, ApplyToTheEnvironmentToo) {
  const process::Finished run = RunToEnd("location", "", "RIDESTREAM_STALENESS=999ms");
  EXPECT_EQ(process::DescribeWaitStatus(run.wait_status), "exited with status 2");
  EXPECT_THAT(run.output, ::testing::HasSubstr("--staleness=999ms: must be in 1s to 24h"));
}

}  // namespace
}  // namespace ridestream::e2e
