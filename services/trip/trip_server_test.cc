#include "services/trip/trip_server.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "libs/metrics/testing/scrape.h"
#include "libs/roads/streets.h"
#include "libs/rpc/caller.h"
#include "libs/rpc/channel.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_folder.h"
#include "ridestream/market/v1/market.grpc.pb.h"
#include "services/trip/testing/trip_samples.h"

namespace ridestream::trip {
namespace {

using metrics::testing::ScrapeMetrics;
using metrics::testing::Sum;

TripServer::Options OptionsIn(const ridestream::testing::TempFolder& folder) {
  TripServer::Options options;
  options.security.insecure = true;
  options.store.folder = folder.File("data");
  options.tariff = testing::SampleTariff();
  return options;
}

TEST(TripServerTest, ServesItsMarketsUntilItIsDrained) {
  const ridestream::testing::TempFolder folder;
  TripServer::Options options = OptionsIn(folder);
  options.metrics_listen = "127.0.0.1:0";
  auto streets = roads::Streets::Load("city:1");
  ASSERT_THAT(streets, ridestream::testing::IsOk());
  options.streets.emplace(MarketId("city"), *std::move(streets));
  auto server = TripServer::Start(std::move(options));
  ASSERT_THAT(server, ridestream::testing::IsOk());

  const auto stub = market::v1::MarketService::NewStub(rpc::MakeChannel((*server)->address()));
  market::v1::ListMarketsResponse markets;
  const auto ask = [&] {
    grpc::ClientContext context;
    rpc::SetCaller(context, {rpc::CallerKind::kRider, "ada"});
    rpc::SetTimeout(context, std::chrono::seconds(30));
    return stub->ListMarkets(&context, {}, &markets).error_code();
  };
  EXPECT_EQ(ask(), grpc::StatusCode::OK);
  ASSERT_EQ(markets.markets_size(), 1);
  EXPECT_EQ(markets.markets(0).market(), "city");
  // The call is counted once its answer has been sent; the test's time bounds the wait.
  for (double counted = 0; counted < 1;) {
    const auto metrics = ScrapeMetrics((*server)->metrics_address());
    ASSERT_THAT(metrics, ridestream::testing::IsOk());
    counted = Sum(*metrics, "trip_rpc_calls_total", {{"method", "ListMarkets"}});
  }
  (*server)->Drain();
  EXPECT_EQ(ask(), grpc::StatusCode::UNAVAILABLE);
}

TEST(TripServerTest, HasItsFolderAloneUntilItIsDestroyed) {
  const ridestream::testing::TempFolder folder;
  {
    auto first = TripServer::Start(OptionsIn(folder));
    ASSERT_THAT(first, ridestream::testing::IsOk());
    EXPECT_THAT(TripServer::Start(OptionsIn(folder)),
                ridestream::testing::StatusIs(absl::StatusCode::kFailedPrecondition, "data"));
  }
  EXPECT_THAT(TripServer::Start(OptionsIn(folder)), ridestream::testing::IsOk());
}

}  // namespace
}  // namespace ridestream::trip
