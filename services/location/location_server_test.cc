#include "services/location/location_server.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "libs/metrics/testing/scrape.h"
#include "libs/rpc/channel.h"
#include "libs/testing/status_matchers.h"
#include "ridestream/location/v1/location.grpc.pb.h"

namespace ridestream::location {
namespace {

using metrics::testing::ScrapeMetrics;
using metrics::testing::Sum;

TEST(LocationServerTest, AnswersCountsAndStops) {
  auto server =
      LocationServer::Start({.security = {.insecure = true}, .metrics_listen = "127.0.0.1:0"});
  ASSERT_THAT(server, testing::IsOk());
  const auto stub = v1::LocationService::NewStub(rpc::MakeChannel((*server)->address()));
  const auto ask = [&] {
    grpc::ClientContext context;
    rpc::SetCaller(context, {rpc::CallerKind::kOperator, "test"});
    rpc::SetTimeout(context, std::chrono::seconds(30));
    v1::GetIndexStatsRequest request;
    request.set_market("city");
    v1::GetIndexStatsResponse response;
    return stub->GetIndexStats(&context, request, &response).error_code();
  };
  EXPECT_EQ(ask(), grpc::StatusCode::OK);
  // A call is counted after its answer was sent. The test's timeout bounds the wait.
  for (double counted = 0; counted < 1;) {
    const auto metrics = ScrapeMetrics((*server)->metrics_address());
    ASSERT_THAT(metrics, testing::IsOk());
    counted = Sum(*metrics, "location_rpc_calls_total", {{"method", "GetIndexStats"}});
  }
  (*server)->Drain();
  EXPECT_EQ(ask(), grpc::StatusCode::UNAVAILABLE);
}

TEST(LocationServerTest, ReportsTheAddressThatItCannotBind) {
  auto first = LocationServer::Start({.security = {.insecure = true}});
  ASSERT_THAT(first, testing::IsOk());
  const std::string taken = (*first)->address();
  EXPECT_THAT(LocationServer::Start({.server = {.address = taken}, .security = {.insecure = true}}),
              testing::StatusIs(absl::StatusCode::kUnavailable, taken));
  EXPECT_THAT(LocationServer::Start({.security = {.insecure = true}, .metrics_listen = taken}),
              testing::StatusIs(absl::StatusCode::kUnavailable, taken));
}

}  // namespace
}  // namespace ridestream::location
