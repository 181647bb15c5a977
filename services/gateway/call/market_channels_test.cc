#include "services/gateway/call/market_channels.h"

#include <gtest/gtest.h>

#include <memory>
#include <utility>

#include "libs/testing/status_matchers.h"

namespace ridestream::gateway {
namespace {

using absl::StatusCode;
using testing::StatusIs;

MarketChannels::Options OptionsFor(const char* text) {
  return {.addresses = *service::MarketAddresses::Parse("dispatch", text)};
}

TEST(MarketChannels, KeepsTheConnectionsOfEachMarket) {
  MarketChannels channels(OptionsFor("porto=127.0.0.1:1,lisbon=127.0.0.1:2"));
  const auto porto = *channels.Take("porto", CallerClass::kDriver);
  EXPECT_NE(*channels.Take("lisbon", CallerClass::kDriver), porto);
  EXPECT_NE(*channels.Take("porto", CallerClass::kRider), porto);
  EXPECT_EQ((*channels.Take("porto", CallerClass::kDriver)).get(), porto.get());
  EXPECT_EQ(channels.size(), 2U);
}

TEST(MarketChannels, SharesConnectionsToOneProcessAndNotThoseThatWatchAMarketsHealth) {
  MarketChannels::Options options = OptionsFor(
      "porto=127.0.0.1:1,lisbon=127.0.0.1:1,a=127.0.0.1:2,127.0.0.1:3,b=127.0.0.1:2,"
      "127.0.0.1:3");
  options.markets_have_health = true;
  MarketChannels channels(std::move(options));
  EXPECT_EQ((*channels.Take("porto", CallerClass::kDriver)).get(),
            (*channels.Take("lisbon", CallerClass::kDriver)).get());
  EXPECT_NE((*channels.Take("a", CallerClass::kDriver)).get(),
            (*channels.Take("b", CallerClass::kDriver)).get());
}

TEST(MarketChannels, SingleListHasTheSameConnectionsForAllMarkets) {
  MarketChannels::Options options = OptionsFor("127.0.0.1:2,127.0.0.1:3");
  options.markets_have_health = true;
  MarketChannels channels(std::move(options));
  EXPECT_EQ((*channels.Take("a", CallerClass::kDriver)).get(),
            (*channels.Take("b", CallerClass::kDriver)).get());
}

TEST(MarketChannels, RefusesMarketsThatHaveNoAddress) {
  MarketChannels channels(OptionsFor("porto=127.0.0.1:1"));
  EXPECT_THAT(channels.Take("atlantis", CallerClass::kDriver),
              StatusIs(StatusCode::kFailedPrecondition, "only porto"));
  EXPECT_EQ(channels.size(), 0U);
}

TEST(MarketChannels, ForgetsTheAddressThatWasUsedLongestAgo) {
  MarketChannels::Options options = OptionsFor("dispatch-{market}.example:7003");
  options.max_addresses = 2;
  MarketChannels channels(std::move(options));
  const auto a = *channels.Take("a", CallerClass::kDriver);
  const auto b = *channels.Take("b", CallerClass::kDriver);
  EXPECT_EQ((*channels.Take("a", CallerClass::kDriver)).get(), a.get());
  EXPECT_TRUE(channels.Take("c", CallerClass::kDriver).ok());
  EXPECT_EQ(channels.size(), 2U);
  EXPECT_EQ((*channels.Take("a", CallerClass::kDriver)).get(), a.get());
  // The old channel is still in use by its call, so this one is new.
  EXPECT_NE((*channels.Take("b", CallerClass::kDriver)).get(), b.get());
}

}  // namespace
}  // namespace ridestream::gateway
