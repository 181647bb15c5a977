#include "loadtest/demand/demand.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/testing/status_matchers.h"

namespace ridestream::loadtest {
namespace {

using ::ridestream::testing::IsOk;
using ::ridestream::testing::StatusIs;
using ::testing::ElementsAre;

constexpr char kHeader[] = "requested_at_s,pickup_lat,pickup_lng,dropoff_lat,dropoff_lng,riders\n";

std::string Write(const std::string& text) {
  std::string path = ::testing::TempDir() +
                     ::testing::UnitTest::GetInstance()->current_test_info()->name() + ".csv";
  std::ofstream(path) << text;
  return path;
}

std::vector<Request> All(Demand& demand) {
  std::vector<Request> all;
  while (auto request = demand.Next()) all.push_back(*request);
  return all;
}

// 1 km square, all two-way.
roads::RoadGraph Square() {
  const LatLng origin{400'000'000, -740'000'000};
  std::vector<LatLng> corners = {origin, OffsetBy(origin, 0, 1000), OffsetBy(origin, 1000, 1000),
                                 OffsetBy(origin, 1000, 0)};
  std::vector<roads::Edge> edges;
  for (roads::NodeIndex from = 0; from < 4; ++from) {
    const roads::NodeIndex next = (from + 1) % 4, previous = (from + 3) % 4;
    edges.push_back({from, std::min(next, previous), 10'000, 100'000, 0});
    edges.push_back({from, std::max(next, previous), 10'000, 100'000, 0});
  }
  return roads::RoadGraph(std::move(corners), std::move(edges), {""}, 4);
}

TEST(ReplayDemandTest, ReturnsRequestsInDueOrder) {
  const auto demand = ReplayDemand(
      Write(std::string(kHeader) + "2.5,40.1,-74,40.2,-74.1,2\r\n\n1,40,-74,\"41\",-75,8\n"));
  ASSERT_THAT(demand, IsOk());
  EXPECT_THAT(All(**demand),
              ElementsAre(Request{std::chrono::seconds(1), LatLng::FromDegrees(40, -74),
                                  LatLng::FromDegrees(41, -75), 8},
                          Request{std::chrono::milliseconds(2500), LatLng::FromDegrees(40.1, -74),
                                  LatLng::FromDegrees(40.2, -74.1), 2}));
}

TEST(ReplayDemandTest, FileMayBeginWithAByteOrderMark) {
  const std::string row = "1,40,-74,41,-75,8\n";
  const auto demand = ReplayDemand(Write("\xEF\xBB\xBF" + std::string(kHeader) + row));
  ASSERT_THAT(demand, IsOk());
  EXPECT_EQ(All(**demand).size(), 1u);
  // Only one byte order mark, and only at the beginning.
  EXPECT_THAT(ReplayDemand(Write("\xEF\xBB\xBF\xEF\xBB\xBF" + std::string(kHeader))),
              StatusIs(absl::StatusCode::kInvalidArgument, ":1:1: the header must be"));
  EXPECT_THAT(ReplayDemand(Write(std::string(kHeader) + "\xEF\xBB\xBF" + row)),
              StatusIs(absl::StatusCode::kInvalidArgument, ":2:1: requested_at_s: "));
  for (const std::string mark : {"\xFF\xFE", "\xFE\xFF"}) {
    EXPECT_THAT(ReplayDemand(Write(mark + std::string("r\0e\0", 4))),
                StatusIs(absl::StatusCode::kInvalidArgument, ":1:1: is UTF-16; it must be saved"));
  }
}

TEST(ReplayDemandTest, NamesFileLineAndColumnOfAnError) {
  const struct {
    std::string text, error;
  } cases[] = {
      {"", ".csv:1:1: is empty"},
      {"lat,lng\n", ".csv:1:1: the header must be 'requested_at_s,"},
      {std::string(kHeader) + "1,40,-74,41\n", ".csv:2:5: has 4 columns, needs 6"},
      {std::string(kHeader) + "1,40,-74,41,-75,1\n1,40,-74,41,-75,1,9\n",
       ".csv:3:8: has 7 columns, needs 6"},
      {std::string(kHeader) + "\nx,40,-74,41,-75,1\n",
       ".csv:3:1: requested_at_s: 'x' is not a number"},
      {std::string(kHeader) + "-1,40,-74,41,-75,1\n",
       ".csv:2:1: requested_at_s: '-1' must be in 0"},
      {std::string(kHeader) + "1,,-74,41,-75,1\n", ".csv:2:2: pickup_lat: '' is not a number"},
      {std::string(kHeader) + "1,90.5,-74,41,-75,1\n",
       ".csv:2:2: pickup_lat: '90.5' must be in -90"},
      {std::string(kHeader) + "1,40,-74,nan,-75,1\n",
       ".csv:2:4: dropoff_lat: 'nan' is not a number"},
      {std::string(kHeader) + "1,40,-74,41,181,1\n",
       ".csv:2:5: dropoff_lng: '181' must be in -180"},
      {std::string(kHeader) + "1,40,-74,41,-75,0\n", ".csv:2:6: riders: '0' must be in 1 to 8"},
      {std::string(kHeader) + "1,40,-74,41,-75,1.5\n",
       ".csv:2:6: riders: '1.5' is not a whole number"},
      {std::string(kHeader) + "1,40,\"-74,41,-75,1\n", ".csv:2:1: is not CSV"},
  };
  for (const auto& test : cases) {
    EXPECT_THAT(ReplayDemand(Write(test.text)),
                StatusIs(absl::StatusCode::kInvalidArgument, test.error))
        << test.text;
  }
  EXPECT_THAT(ReplayDemand("no/such.csv"), StatusIs(absl::StatusCode::kNotFound, "no/such.csv: "));
}

TEST(ReadFleetTest, FileMayBeginWithAByteOrderMark) {
  EXPECT_THAT(ReadFleet(Write("\xEF\xBB\xBFlat,lng,seats\r\n-16.8,-180,3\r\n"), 1), IsOk());
}

TEST(ReadFleetTest, TakesTheFirstN) {
  const std::string file = Write("lat,lng,seats\n40,-74,3\n41,-75,6\n42,-76,1\n");
  const auto fleet = ReadFleet(file, 2);
  ASSERT_THAT(fleet, IsOk());
  EXPECT_THAT(*fleet, ElementsAre(FleetPlace{LatLng::FromDegrees(40, -74), 3},
                                  FleetPlace{LatLng::FromDegrees(41, -75), 6}));
  EXPECT_THAT(ReadFleet(file, 4),
              StatusIs(absl::StatusCode::kOutOfRange, "has 3 drivers, --drivers asks for 4"));
  EXPECT_THAT(ReadFleet(Write("lat,lng,seats\n40,-74,9\n"), 1),
              StatusIs(absl::StatusCode::kInvalidArgument, ":2:3: seats: '9' must be in 1 to 8"));
}

TEST(GenerateDemandTest, IsPoissonAndTheSameFromTheSameSeed) {
  const roads::RoadGraph graph = Square();
  const auto demand = GenerateDemand(graph, 360, 5), again = GenerateDemand(graph, 360, 5),
             other = GenerateDemand(graph, 360, 6);
  Duration before{}, last{};
  double sum = 0, sum_of_squares = 0;
  bool differs = false;
  constexpr int kCount = 4'000;
  for (int i = 0; i < kCount; ++i) {
    const auto request = demand->Next();
    ASSERT_TRUE(request);
    EXPECT_EQ(request, again->Next());
    differs |= !(request == other->Next());
    EXPECT_GE(FastDistanceM(request->pickup, request->dropoff), 499);
    last = request->due;
    const double pause_s = std::chrono::duration<double>(last - before).count();
    sum += pause_s;
    sum_of_squares += pause_s * pause_s;
    before = last;
  }
  EXPECT_TRUE(differs);
  // Mean and standard deviation of an exponential pause are the same.
  const double mean = sum / kCount;
  EXPECT_NEAR(mean, 10, 0.7);
  EXPECT_NEAR(std::sqrt(sum_of_squares / kCount - mean * mean), mean, 1);
}

TEST(RealDataTest, ManhattanIsRead) {
  const char* data = std::getenv("RIDESTREAM_TEST_DATA");
  const std::string folder = std::string(data == nullptr ? "" : data) + "/manhattan/";
  if (!std::filesystem::exists(folder + "requests.csv")) {
    GTEST_SKIP() << "no " << folder << "requests.csv: set RIDESTREAM_TEST_DATA";
  }
  const auto demand = ReplayDemand(folder + "requests.csv");
  ASSERT_THAT(demand, IsOk());
  EXPECT_EQ(All(**demand).size(), 5'033u);
  const auto fleet = ReadFleet(folder + "drivers.csv", 5'000);
  ASSERT_THAT(fleet, IsOk());
  EXPECT_EQ(fleet->front(), (FleetPlace{LatLng::FromDegrees(40.77086, -73.957164), 3}));
}

}  // namespace
}  // namespace ridestream::loadtest
