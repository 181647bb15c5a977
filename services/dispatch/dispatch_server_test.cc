#include "services/dispatch/dispatch_server.h"

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>
#include <utility>

#include "libs/metrics/testing/scrape.h"
#include "libs/roads/streets.h"
#include "libs/rpc/channel.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_folder.h"
#include "ridestream/dispatch/v1/dispatch.grpc.pb.h"
#include "services/location/location_server.h"
#include "services/trip/trip_server.h"

namespace ridestream::dispatch {
namespace {

using metrics::testing::ScrapeMetrics;
using metrics::testing::Sum;

TEST(DispatchServerTest, IsReadyOnceItKnowsTripsLogAndServesUntilItIsDrained) {
  const testing::TempFolder folder;
  auto location = location::LocationServer::Start({.security = {.insecure = true}});
  ASSERT_THAT(location, testing::IsOk());
  trip::TripServer::Options trip_options;
  trip_options.security.insecure = true;
  trip_options.store.folder = folder.File("data");
  auto trip_streets = roads::Streets::Load("city:1");
  ASSERT_THAT(trip_streets, testing::IsOk());
  trip_options.streets.emplace("city", *std::move(trip_streets));
  auto trip = trip::TripServer::Start(std::move(trip_options));
  ASSERT_THAT(trip, testing::IsOk());

  DispatchServer::Options options;
  options.security.insecure = true;
  options.metrics_listen = "127.0.0.1:0";
  options.trip = (*trip)->address();
  options.location = (*location)->address();
  auto streets = roads::Streets::Load("city:1");
  ASSERT_THAT(streets, testing::IsOk());
  options.streets.emplace(MarketId("city"), *std::move(streets));
  std::promise<void> ready;
  options.on_ready = [&](const DispatchServer&) { ready.set_value(); };
  auto server = DispatchServer::Start(std::move(options));
  ASSERT_THAT(server, testing::IsOk());
  ASSERT_EQ(ready.get_future().wait_for(std::chrono::seconds(30)), std::future_status::ready);

  const auto stub = v1::DispatchService::NewStub(rpc::MakeChannel((*server)->address()));
  const auto ask = [&] {
    grpc::ClientContext context;
    rpc::SetCaller(context, {rpc::CallerKind::kOperator, "test"});
    rpc::SetTimeout(context, std::chrono::seconds(30));
    v1::GetOfferStatsRequest request;
    request.set_market("city");
    v1::GetOfferStatsResponse response;
    return stub->GetOfferStats(&context, request, &response).error_code();
  };
  EXPECT_EQ(ask(), grpc::StatusCode::OK);
  // The call is counted once its answer has been sent; the test's time bounds the wait.
  for (double counted = 0; counted < 1;) {
    const auto metrics = ScrapeMetrics((*server)->metrics_address());
    ASSERT_THAT(metrics, testing::IsOk());
    counted = Sum(*metrics, "dispatch_rpc_calls_total", {{"method", "GetOfferStats"}});
  }
  (*server)->Drain();
  EXPECT_EQ(ask(), grpc::StatusCode::UNAVAILABLE);
}

TEST(DispatchServerTest, StopsWithoutTheServicesThatItCalls) {
  DispatchServer::Options options;
  options.security.insecure = true;
  options.trip = "127.0.0.1:1";
  options.location = "127.0.0.1:1";
  options.on_ready = [](const DispatchServer&) { ADD_FAILURE() << "is ready without trip"; };
  auto server = DispatchServer::Start(std::move(options));
  ASSERT_THAT(server, testing::IsOk());
  EXPECT_THAT(DispatchServer::Start(
                  {.server = {.address = (*server)->address()}, .security = {.insecure = true}}),
              testing::StatusIs(absl::StatusCode::kUnavailable, (*server)->address()));
}

}  // namespace
}  // namespace ridestream::dispatch
