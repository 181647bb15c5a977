// ./ride bench scale with few drivers: that it runs and reports, not how fast anything is.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "libs/process/run_command.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_folder.h"

namespace ridestream::bench {
namespace {

using ::testing::HasSubstr;
using testing::IsOk;
using ::testing::SizeIs;

std::string Bench(const std::string& flags) {
  const char* bin = std::getenv("RIDESTREAM_BIN");
  return bin == nullptr ? "" : fmt::format("{}/scale_bench {} 2>&1", bin, flags);
}

std::vector<std::string> RowsOf(const std::string& output) {
  std::istringstream lines(output);
  std::vector<std::string> rows;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("|")) rows.push_back(line);
  }
  return rows;
}

TEST(ScaleBenchTest, FewDriversInTwoMarketsAreMeasuredAndAudited) {
  ASSERT_NE(Bench(""), "") << "run by ctest, or set RIDESTREAM_BIN to the folder of the binaries";
  const ridestream::testing::TempFolder folder;
  const std::string json = folder.File("figures.json");
  const auto finished = process::RunCommand(
      Bench("--drivers=300 --markets=2 --seconds=8 --requests_per_hour=60 --json=" + json));
  ASSERT_THAT(finished, IsOk());
  ASSERT_EQ(finished->wait_status, 0) << finished->output;

  const std::vector<std::string> rows = RowsOf(finished->output);
  ASSERT_THAT(rows, SizeIs(3)) << finished->output;
  for (const std::string& row : rows) {
    EXPECT_EQ(std::count(row.begin(), row.end(), '|'), 16) << row;
  }
  EXPECT_THAT(rows[2], HasSubstr("| 300 in 2 | 300 |"));
  EXPECT_THAT(rows[2], HasSubstr("| clean, "));

  std::ifstream file(json);
  const nlohmann::json figures = nlohmann::json::parse(file, nullptr, false);
  ASSERT_FALSE(figures.is_discarded());
  const nlohmann::json& row = figures.at("scale").begin()->at("d300");
  EXPECT_EQ(row.at("connected"), 300);
  EXPECT_EQ(row.at("reports_per_s"), 75);
  EXPECT_GT(row.at("positions_per_s"), 0);
  EXPECT_GT(row.at("offer_push_ms").at("count"), 0);
  EXPECT_GT(row.at("audit_checked"), 0);
  EXPECT_EQ(row.at("audit_violations"), 0);
  for (const char* kind : {"dispatch", "location", "trip", "generator"}) {
    EXPECT_GT(row.at(kind).at("cores"), 0) << kind;
    EXPECT_GT(row.at(kind).at("mib"), 0) << kind;
  }
  EXPECT_EQ(row.at("dispatch").at("processes"), 2);
  EXPECT_EQ(row.at("location").at("processes"), 1);
}

TEST(ScaleBenchTest, RefusesWhatItCannotMeasureBeforeTheStart) {
  const struct {
    const char* flags;
    const char* message;
  } cases[] = {
      {"--drivers=300,many", "--drivers=300,many: each must be a number"},
      {"--drivers=", "--drivers=: each must be a number"},
      {"--drivers=1 --markets=2", "from --markets, 2"},
      {"--drivers=100001 --markets=2", "to 100000, 50000 in a market"},
      {"--drivers=300 --markets=0", "--markets=0"},
  };
  for (const auto& [flags, message] : cases) {
    const auto finished = process::RunCommand(Bench(flags));
    ASSERT_THAT(finished, IsOk());
    EXPECT_NE(finished->wait_status, 0) << flags;
    EXPECT_THAT(finished->output, HasSubstr(message)) << flags;
  }
}

}  // namespace
}  // namespace ridestream::bench
