#include "libs/service/markets.h"

#include <gtest/gtest.h>

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

TEST(ParseMarketsTest, SaysWhatIsWrong) {
  for (const char* text : {"", "city", "=city:1", "city=", "a=x,,b=y", "a=x,a=y", "a b=x"}) {
    EXPECT_THAT(ParseMarkets(text), StatusIs(absl::StatusCode::kInvalidArgument, "--markets"))
        << text;
  }
}

}  // namespace
}  // namespace ridestream::service
