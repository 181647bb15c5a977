#include "libs/service/markets.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string>

#include "libs/testing/status_matchers.h"

namespace ridestream::service {
namespace {

using testing::IsOk;
using testing::StatusIs;

TEST(ParseMarketsTest, ReadsNamesAndStreets) {
  const auto markets = ParseMarkets("city=city:1,porto=/data/porto.osm.pbf");
  ASSERT_THAT(markets, IsOk());
  ASSERT_EQ(markets->size(), 2u);
  EXPECT_EQ((*markets)[0].market, MarketId("city"));
  EXPECT_EQ((*markets)[1].streets, "/data/porto.osm.pbf");
}

TEST(ParseMarketsTest, NamesTheFault) {
  for (const char* text : {"", "city", "=city:1", "city=", "a=x,,b=y", "a=x,a=y", "a b=x"}) {
    EXPECT_THAT(ParseMarkets(text), StatusIs(absl::StatusCode::kInvalidArgument, "--markets"))
        << text;
  }
}

TEST(ParseMarketNamesTest, TakesNamesWithOrWithoutStreets) {
  const auto names = ParseMarketNames("porto=/data/porto.osm.pbf,city");
  ASSERT_THAT(names, IsOk());
  EXPECT_EQ(*names, (std::set<std::string, std::less<>>{"city", "porto"}));
  for (const char* text : {"", "a,,b", "a,a", "a b", "=x", "a,"}) {
    EXPECT_THAT(ParseMarketNames(text), StatusIs(absl::StatusCode::kInvalidArgument, "--markets"))
        << text;
  }
}

TEST(ServedMarketsTest, NamesTheServedMarketsWhenAnotherIsRequested) {
  const ServedMarkets served({"porto", "city"});
  EXPECT_THAT(served.Check("porto", "market"), IsOk());
  EXPECT_THAT(served.Check("atlantis", "hello.market"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "hello.market: market 'atlantis' isn't served here, only city, porto"));
}

TEST(ServedMarketsTest, ServesEveryMarketByDefault) {
  EXPECT_THAT(ServedMarkets().Check("atlantis", "market"), IsOk());
}

TEST(ServedMarketsTest, ServesNoneWithoutMarkets) {
  EXPECT_THAT(ServedMarkets(std::set<std::string, std::less<>>()).Check("atlantis", "market"),
              StatusIs(absl::StatusCode::kFailedPrecondition, "isn't served here"));
}

TEST(ServedMarketsTest, ListsABoundedNumber) {
  std::set<std::string, std::less<>> many;
  for (int i = 100; i < 200; ++i) many.insert(std::to_string(i));
  const absl::Status status = ServedMarkets(many).Check("atlantis", "market");
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition, "131 and 68 more"));
}

}  // namespace
}  // namespace ridestream::service
