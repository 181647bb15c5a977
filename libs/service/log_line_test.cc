#include "libs/service/log_line.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <vector>

namespace ridestream::service {
namespace {

using namespace std::chrono_literals;

const std::chrono::system_clock::time_point kTime{std::chrono::microseconds(1'700'000'000'000'001)};

TEST(LogLineTest, TextIsOneLineThatGrepUnderstands) {
  EXPECT_EQ(TextLine("offer_made", std::vector<Field>{{"trip", "t-1"}, {"driver", "d-1"}}),
            "offer_made trip=t-1 driver=d-1");
  EXPECT_EQ(TextLine("failed", std::vector<Field>{{"error", "no \"way\"\nleads=there"}}),
            R"(failed error="no \"way\"\nleads=there")");
}

TEST(LogLineTest, AnEmptyFieldIsLeftOut) {
  const std::vector<Field> fields{{"trip", "t-1"}, {"driver", ""}};
  EXPECT_EQ(TextLine("trip_requested", fields), "trip_requested trip=t-1");
  EXPECT_FALSE(
      nlohmann::json::parse(JsonLine(kTime, Level::kInfo, "trip", "trip_requested", fields))
          .contains("driver"));
}

TEST(LogLineTest, JsonIsOneObjectALine) {
  const std::string line = JsonLine(kTime, Level::kWarning, "trip", "failed",
                                    std::vector<Field>{{"error", "a\nb"}, {"trip", "t-1"}});
  EXPECT_EQ(line,
            R"({"time_us":1700000000000001,"level":"warning","service":"trip","event":"failed",)"
            R"("error":"a\nb","trip":"t-1"})");
}

TEST(LogLineTest, InvalidBytesDoNotDropTheLine) {
  const std::vector<Field> fields{{"note", "\xff \xfe"}};
  EXPECT_EQ(nlohmann::json::parse(JsonLine(kTime, Level::kInfo, "trip", "x", fields))["note"],
            "\uFFFD \uFFFD");
  EXPECT_EQ(TextLine("x", fields), "x note=\"\uFFFD \uFFFD\"");
}

TEST(LogLineTest, EscapesTerminalControlsAndTextDirection) {
  const std::vector<Field> fields{{"note", "a\x1b[2J\u009b1m\u202eb\x7f\u2028"}};
  EXPECT_EQ(TextLine("x", fields), R"(x note="a\u001b[2J\u009b1m\u202eb\u007f\u2028")");
  const std::string json = JsonLine(kTime, Level::kInfo, "trip", "x", fields);
  EXPECT_NE(json.find(R"("note":"a\u001b[2J\u009b1m\u202eb\u007f\u2028")"), std::string::npos)
      << json;
  EXPECT_EQ(nlohmann::json::parse(json)["note"], fields[0].value);
}

TEST(LogLineTest, LongValuesAreCut) {
  const std::vector<Field> fields{{"market", std::string(60'000, 'm')}};
  EXPECT_LT(TextLine("x", fields).size(), 1'100u);
  EXPECT_NE(TextLine("x", fields).find("(60000 bytes)"), std::string::npos);
  EXPECT_LT(JsonLine(kTime, Level::kInfo, "trip", "x", fields).size(), 1'300u);
}

}  // namespace
}  // namespace ridestream::service
