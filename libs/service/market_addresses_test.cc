#include "libs/service/market_addresses.h"

#include <gtest/gtest.h>

#include "libs/testing/status_matchers.h"

namespace ridestream::service {
namespace {

using absl::StatusCode;
using testing::StatusIs;

TEST(MarketAddressesTest, OneAddressServesEveryMarketAndCallsThatNameNone) {
  const auto addresses = MarketAddresses::Parse("dispatch", "127.0.0.1:7003");
  ASSERT_THAT(addresses, testing::IsOk());
  EXPECT_TRUE(addresses->is_single());
  for (const char* market : {"", "porto", "no id at all"}) {
    EXPECT_EQ(*addresses->Find(market), "127.0.0.1:7003") << market;
  }
}

TEST(MarketAddressesTest, AMapFindsItsMarketsAndNamesThemForOthers) {
  const auto addresses =
      MarketAddresses::Parse("dispatch", "porto=10.0.0.1:7003,san.jose=[::1]:7004");
  ASSERT_THAT(addresses, testing::IsOk());
  EXPECT_FALSE(addresses->is_single());
  EXPECT_EQ(*addresses->Find("porto"), "10.0.0.1:7003");
  EXPECT_EQ(*addresses->Find("san.jose"), "[::1]:7004");
  EXPECT_THAT(addresses->Find("atlantis"),
              StatusIs(StatusCode::kFailedPrecondition,
                       "market 'atlantis' isn't served here, only porto, san.jose"));
  EXPECT_THAT(addresses->Find(""), StatusIs(StatusCode::kInvalidArgument, "ridestream-market"));
  EXPECT_THAT(addresses->Find("a b"), StatusIs(StatusCode::kInvalidArgument, "ridestream-market"));
}

TEST(MarketAddressesTest, ProcessesThatStandByAreListedBehindTheFirst) {
  for (const std::string text :
       {"127.0.0.1:7003,127.0.0.1:7013", "[::1]:7003,[::1]:7013,[::2]:1"}) {
    const auto addresses = MarketAddresses::Parse("dispatch", text);
    ASSERT_THAT(addresses, testing::IsOk());
    EXPECT_TRUE(addresses->is_single());
    EXPECT_EQ(*addresses->Find("porto"), text);
  }
  const auto addresses = MarketAddresses::Parse(
      "dispatch", "porto=10.0.0.1:7003,10.0.0.2:7003,lisbon=a.example:1,lima=[::1]:1,[::1]:2");
  ASSERT_THAT(addresses, testing::IsOk());
  EXPECT_EQ(*addresses->Find("porto"), "10.0.0.1:7003,10.0.0.2:7003");
  EXPECT_EQ(*addresses->Find("lisbon"), "a.example:1");
  EXPECT_EQ(*addresses->Find("lima"), "[::1]:1,[::1]:2");
}

TEST(MarketAddressesTest, SeveralProcessesNeedAddressesOfOneFamily) {
  for (const char* text : {"a.example:1,b.example:1", "127.0.0.1:1,b.example:1",
                           "127.0.0.1:1,[::1]:1", "porto=a.example:1,127.0.0.1:1"}) {
    EXPECT_THAT(MarketAddresses::Parse("dispatch", text),
                StatusIs(StatusCode::kInvalidArgument, "must be IP addresses of one family"))
        << text;
  }
}

TEST(MarketAddressesTest, ATemplatePutsMarketsIntoADnsName) {
  const auto addresses = MarketAddresses::Parse("dispatch", "dispatch-{market}.example:7003");
  ASSERT_THAT(addresses, testing::IsOk());
  EXPECT_FALSE(addresses->is_single());
  EXPECT_EQ(*addresses->Find("porto"), "dispatch-porto.example:7003");
  EXPECT_EQ(*addresses->Find("new-york2"), "dispatch-new-york2.example:7003");
  // None of these may produce a name outside of the template's domain.
  for (const std::string market : {"", "a.b", "a:1", "Porto", "-a", "a-", "a/b", "a b"}) {
    EXPECT_THAT(addresses->Find(market), StatusIs(StatusCode::kInvalidArgument, "")) << market;
  }
  EXPECT_THAT(addresses->Find(std::string(64, 'a')), StatusIs(StatusCode::kInvalidArgument, "DNS"));
}

TEST(MarketAddressesTest, NamesTheFlagThatIsWrong) {
  for (const char* text : {"",
                           "host",
                           "host:",
                           ":7003",
                           "host:0",
                           "host:65536",
                           "host:port",
                           "a=b",
                           "a=b:1,",
                           "a=b:1,c",
                           "=b:1",
                           "a b=c:1",
                           "a=b:1,a=c:1",
                           "{market}",
                           "{market}{market}:1",
                           "a={market}:1",
                           "http://host:7003",
                           "{city}.example:1",
                           "127.0.0.1:1,a=b:1",
                           "127.0.0.1:1,",
                           "127.0.0.1:1,127.0.0.1:0",
                           "a=127.0.0.1:1,x"}) {
    EXPECT_THAT(MarketAddresses::Parse("dispatch", text),
                StatusIs(StatusCode::kInvalidArgument, "--dispatch"))
        << text;
  }
}

}  // namespace
}  // namespace ridestream::service
