#include "libs/roads/engine/prepared_file.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "libs/roads/engine/contraction_order.h"
#include "libs/roads/streets.h"
#include "libs/roads/testing/test_map.h"
#include "libs/testing/status_matchers.h"

namespace ridestream::roads {
namespace {

using ::ridestream::testing::IsOk;
using ::ridestream::testing::StatusIs;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class PreparedFileTest : public ::testing::Test {
 protected:
  PreparedFileTest()
      : folder_(std::filesystem::path(::testing::TempDir()) /
                fmt::format("prepared_file_test.{}.{}", getpid(),
                            ::testing::UnitTest::GetInstance()->current_test_info()->name())) {
    std::filesystem::create_directories(folder_);
  }
  ~PreparedFileTest() override { std::filesystem::remove_all(folder_); }

  static RoadGraph MakeGraph(double width_m) {
    TestMap map;
    const auto a = map.AddNode(0, 0);
    const auto b = map.AddNode(width_m, 0);
    map.AddStreet({a, b, map.AddNode(width_m, 500), map.AddNode(0, 500), a});
    return *map.Build();
  }
  static std::string ReadFrom(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::string Read() const { return ReadFrom(path_); }
  void Write(const std::string& bytes) const { std::ofstream(path_, std::ios::binary) << bytes; }

  const std::filesystem::path folder_;
  const std::string path_ = folder_ / "graph.prepared";
  const RoadGraph graph_ = MakeGraph(1000);
  const std::vector<NodeIndex> order_ = FindContractionOrder(graph_);
};

TEST_F(PreparedFileTest, SavedOrderIsLoaded) {
  EXPECT_THAT(LoadPrepared(path_, graph_), StatusIs(absl::StatusCode::kNotFound, path_));
  ASSERT_THAT(SavePrepared(path_, graph_, order_), IsOk());
  ASSERT_THAT(SavePrepared(path_, graph_, order_), IsOk());  // replaces it
  const auto loaded = LoadPrepared(path_, graph_);
  ASSERT_THAT(loaded, IsOk());
  EXPECT_EQ(*loaded, order_);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
}

TEST_F(PreparedFileTest, EveryDamagedByteAndEveryCutIsNoticed) {
  ASSERT_THAT(SavePrepared(path_, graph_, order_), IsOk());
  const std::string whole = Read();
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    Write(damaged);
    EXPECT_FALSE(LoadPrepared(path_, graph_).ok()) << "byte " << i;
    Write(whole.substr(0, i));
    EXPECT_FALSE(LoadPrepared(path_, graph_).ok()) << "cut at " << i;
  }
  Write(whole + "x");
  EXPECT_THAT(LoadPrepared(path_, graph_), StatusIs(absl::StatusCode::kDataLoss, "damaged"));
}

TEST_F(PreparedFileTest, RefusalNamesItsReason) {
  ASSERT_THAT(SavePrepared(path_, graph_, order_), IsOk());
  EXPECT_THAT(LoadPrepared(path_, MakeGraph(1001)),
              StatusIs(absl::StatusCode::kFailedPrecondition, "made for other streets"));
  const std::string whole = Read();
  std::string older = whole;
  older[8] = 0;
  Write(older);
  EXPECT_THAT(LoadPrepared(path_, graph_),
              StatusIs(absl::StatusCode::kInvalidArgument, "is of version 0"));
  Write("#!/bin/sh\n");
  EXPECT_THAT(LoadPrepared(path_, graph_),
              StatusIs(absl::StatusCode::kInvalidArgument, "is not a prepared graph"));
  std::vector<NodeIndex> twice = order_;
  twice[0] = twice[1];
  ASSERT_THAT(SavePrepared(path_, graph_, twice), IsOk());
  EXPECT_THAT(LoadPrepared(path_, graph_), StatusIs(absl::StatusCode::kDataLoss, "twice"));
  EXPECT_THAT(SavePrepared("/no/such/folder/x", graph_, order_),
              StatusIs(absl::StatusCode::kUnavailable, "/no/such/folder/x: can't be written"));
}

TEST_F(PreparedFileTest, TheFingerprintCountsStreetsAndRestrictionsButNoSpeeds) {
  TestMap map;
  const auto middle = map.AddNode(0, 0);
  const auto a = map.AddStreet({map.AddNode(-500, 0), middle});
  const auto b = map.AddStreet({middle, map.AddNode(500, 0)});
  map.AddStreet({middle, map.AddNode(0, 500)});
  const std::uint64_t before = Fingerprint(*map.Build());
  for (OsmWay& way : map.data().ways) way.tags.back() = {"maxspeed", "77"};
  EXPECT_EQ(Fingerprint(*map.Build()), before);
  map.AddRestriction("no_straight_on", {TestMap::Way(a, "from"), TestMap::Node(middle, "via"),
                                        TestMap::Way(b, "to")});
  EXPECT_NE(Fingerprint(*map.Build()), before);
}

TEST_F(PreparedFileTest, StreetsKeepItFromOneStartToTheNext) {
  const StreetsOptions options{.cache_folder = folder_};
  const auto first = Streets::Load("city:6", options);
  ASSERT_THAT(first, IsOk());
  const std::string kept = folder_ / "city-6.prepared";
  EXPECT_THAT((*first)->preparation(), StartsWith("prepared in "));
  EXPECT_THAT((*first)->preparation(), HasSubstr("kept in " + kept));
  const auto second = Streets::Load("city:6", options);
  ASSERT_THAT(second, IsOk());
  EXPECT_EQ((*second)->preparation(), "read from " + kept);

  const auto nowhere = Streets::Load("city:6", {.cache_folder = "/no/such/folder"});
  ASSERT_THAT(nowhere, IsOk());
  EXPECT_THAT((*nowhere)->preparation(), HasSubstr("can't be written"));
}

TEST_F(PreparedFileTest, RefusedFileIsPreparedAgainAndReplaced) {
  const StreetsOptions options{.cache_folder = folder_};
  ASSERT_THAT(Streets::Load("city:5", options), IsOk());
  ASSERT_THAT(Streets::Load("city:6", options), IsOk());
  const std::string kept = folder_ / "city-6.prepared";
  const std::string good = ReadFrom(kept);
  std::string older = good;
  older[8] = 0;
  const std::pair<std::string, std::string> cases[] = {
      {good + "x", "is damaged"},
      {good.substr(0, 20), "is cut off"},
      {older, "is of version 0"},
      {"#!/bin/sh\n", "is not a prepared graph"},
      {ReadFrom(folder_ / "city-5.prepared"), "was made for other streets"},
  };
  for (const auto& [bytes, reason] : cases) {
    std::ofstream(kept, std::ios::binary) << bytes;
    const auto streets = Streets::Load("city:6", options);
    ASSERT_THAT(streets, IsOk());
    EXPECT_THAT((*streets)->preparation(), StartsWith("prepared in "));
    EXPECT_THAT((*streets)->preparation(), HasSubstr(reason));
    EXPECT_EQ(ReadFrom(kept), good) << reason;
  }
}

}  // namespace
}  // namespace ridestream::roads
