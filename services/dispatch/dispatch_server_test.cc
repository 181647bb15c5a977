#include "services/dispatch/dispatch_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <future>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "grpc/health/v1/health.grpc.pb.h"
#include "libs/metrics/testing/scrape.h"
#include "libs/roads/streets.h"
#include "libs/rpc/channel.h"
#include "libs/testing/captured_log.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_folder.h"
#include "ridestream/dispatch/v1/dispatch.grpc.pb.h"
#include "services/location/location_server.h"
#include "services/trip/trip_server.h"

namespace ridestream::dispatch {
namespace {

using metrics::testing::ScrapeMetrics;
using metrics::testing::Sum;
using ::testing::AllOf;
using ::testing::HasSubstr;

/// A small built-in city for each of the markets.
std::map<MarketId, std::unique_ptr<roads::Streets>> StreetsOf(
    std::initializer_list<const char*> markets) {
  std::map<MarketId, std::unique_ptr<roads::Streets>> streets;
  for (const char* market : markets) {
    auto loaded = roads::Streets::Load("city:1");
    EXPECT_THAT(loaded, testing::IsOk());
    streets.emplace(market, *std::move(loaded));
  }
  return streets;
}

class DispatchServerTest : public ::testing::Test {
 protected:
  /// Starts location, and trip for the markets.
  void StartServices(std::initializer_list<const char*> markets) {
    auto location = location::LocationServer::Start({.security = {.insecure = true}});
    ASSERT_THAT(location, testing::IsOk());
    location_ = *std::move(location);
    trip::TripServer::Options trip_options;
    trip_options.metrics_listen = "127.0.0.1:0";
    trip_options.security.insecure = true;
    trip_options.store.folder = folder_.File("data");
    trip_options.streets = StreetsOf(markets);
    auto trip = trip::TripServer::Start(std::move(trip_options));
    ASSERT_THAT(trip, testing::IsOk());
    trip_ = *std::move(trip);
  }

  /// Starts a dispatch for the markets.
  std::unique_ptr<DispatchServer> StartDispatch(DispatchServer::Options options,
                                                std::initializer_list<const char*> markets) {
    options.security.insecure = true;
    options.metrics_listen = "127.0.0.1:0";
    if (options.trip == DispatchServer::Options().trip) options.trip = trip_->address();
    options.location = location_->address();
    options.streets = StreetsOf(markets);
    auto server = DispatchServer::Start(std::move(options));
    EXPECT_THAT(server, testing::IsOk());
    return server.ok() ? *std::move(server) : nullptr;
  }

  /// Starts location, trip and a dispatch for the market "city", and waits until that is ready.
  void Start(DispatchServer::Options options) {
    StartServices({"city"});
    std::promise<void> ready;
    options.on_ready = [&](const DispatchServer&) { ready.set_value(); };
    server_ = StartDispatch(std::move(options), {"city"});
    ASSERT_NE(server_, nullptr);
    ASSERT_EQ(ready.get_future().wait_for(std::chrono::seconds(30)), std::future_status::ready);
  }

  /// The server may be ready before it holds the lease; the test's time bounds the wait.
  void WaitUntilItHoldsTheLease() {
    for (double term = 0; term < 1;) {
      const auto metrics = ScrapeMetrics(server_->metrics_address());
      ASSERT_THAT(metrics, testing::IsOk());
      term = Sum(*metrics, "dispatch_lease_term");
    }
  }

  /// The health of a market, or with an empty name of the process.
  static bool IsServing(const DispatchServer& server, const std::string& market) {
    using grpc::health::v1::HealthCheckResponse;
    const auto stub = grpc::health::v1::Health::NewStub(rpc::MakeChannel(server.address()));
    grpc::ClientContext context;
    rpc::SetTimeout(context, std::chrono::seconds(30));
    grpc::health::v1::HealthCheckRequest request;
    request.set_service(market);
    HealthCheckResponse response;
    const grpc::Status status = stub->Check(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.status() == HealthCheckResponse::SERVING;
  }
  /// The test's time bounds the wait.
  static void WaitForHealth(const DispatchServer& server, const std::string& market,
                            bool is_serving) {
    while (IsServing(server, market) != is_serving) std::this_thread::yield();
  }

  /// Another process asks for the lease of "city", as `holder`.
  trip::v1::AcquireLeaseResponse AcquireLease(const std::string& holder) {
    const auto stub = trip::v1::TripService::NewStub(rpc::MakeChannel(trip_->address()));
    grpc::ClientContext context;
    rpc::SetCaller(context, {rpc::CallerKind::kService, "dispatch"});
    rpc::SetTimeout(context, std::chrono::seconds(30));
    trip::v1::AcquireLeaseRequest request;
    request.set_market("city");
    request.set_holder(holder);
    request.set_address("127.0.0.1:2");
    request.mutable_duration()->set_seconds(60);
    trip::v1::AcquireLeaseResponse response;
    const grpc::Status status = stub->AcquireLease(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }

  const testing::TempFolder folder_;
  std::unique_ptr<location::LocationServer> location_;
  std::unique_ptr<trip::TripServer> trip_;
  std::unique_ptr<DispatchServer> server_;
};

TEST_F(DispatchServerTest, IsReadyOnceItKnowsTripsLogAndServesUntilItIsDrained) {
  Start({});
  const auto stub = v1::DispatchService::NewStub(rpc::MakeChannel(server_->address()));
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
    const auto metrics = ScrapeMetrics(server_->metrics_address());
    ASSERT_THAT(metrics, testing::IsOk());
    counted = Sum(*metrics, "dispatch_rpc_calls_total", {{"method", "GetOfferStats"}});
  }
  server_->Drain();
  EXPECT_EQ(ask(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(DispatchServerTest, ReportsOnceThatAnotherProcessTookALeaseOver) {
  std::promise<void> lost;
  Start({.lease = std::chrono::milliseconds(500), .on_lease_lost = [&] { lost.set_value(); }});
  WaitUntilItHoldsTheLease();
  EXPECT_THAT(server_->lease_status(), testing::IsOk());
  const std::string holder = AcquireLease("other").lease().holder();
  // The same id in a new term fences the server out.
  ASSERT_TRUE(AcquireLease(holder).acquired());
  ASSERT_EQ(lost.get_future().wait_for(std::chrono::seconds(30)), std::future_status::ready);
  EXPECT_THAT(server_->lease_status(),
              testing::StatusIs(absl::StatusCode::kAborted, "the lease of 'city'"));
  server_->Drain();
  EXPECT_THAT(server_->lease_status(), testing::StatusIs(absl::StatusCode::kAborted, "city"));
}

TEST_F(DispatchServerTest, LeaseNamesNoAddressThatIsAWildcard) {
  Start({.server = {.address = "0.0.0.0:0"}});
  WaitUntilItHoldsTheLease();
  EXPECT_EQ(AcquireLease("other").lease().address(), "");
}

TEST_F(DispatchServerTest, IsReadyForTheMarketsThatItLeads) {
  StartServices({"city", "town"});
  std::promise<void> standby;
  const auto first = StartDispatch({}, {"city"});
  WaitForHealth(*first, "city", true);
  server_ = StartDispatch({.on_standby = [&](const auto&, const auto&) { standby.set_value(); }},
                          {"city", "town"});
  WaitForHealth(*server_, "town", true);
  ASSERT_EQ(standby.get_future().wait_for(std::chrono::seconds(30)), std::future_status::ready);
  EXPECT_TRUE(IsServing(*server_, ""));
  EXPECT_FALSE(IsServing(*server_, "city"));
  first->Drain();
  WaitForHealth(*server_, "city", true);
  EXPECT_TRUE(IsServing(*server_, "town"));
}

TEST_F(DispatchServerTest, StandbyOfAllOfItsMarketsIsNotReady) {
  StartServices({"city"});
  std::promise<void> standby;
  const auto first = StartDispatch({}, {"city"});
  WaitForHealth(*first, "", true);
  server_ = StartDispatch({.on_standby = [&](const auto&, const auto&) { standby.set_value(); }},
                          {"city"});
  ASSERT_EQ(standby.get_future().wait_for(std::chrono::seconds(30)), std::future_status::ready);
  EXPECT_FALSE(IsServing(*server_, "city"));
  EXPECT_FALSE(IsServing(*server_, ""));
  first->Drain();
  WaitForHealth(*server_, "", true);
  EXPECT_TRUE(IsServing(*server_, "city"));
}

TEST_F(DispatchServerTest, CallsOfAMarketGoToTheProcessThatLeadsIt) {
  StartServices({"city", "town"});
  const auto of_city = StartDispatch({}, {"city"});
  WaitForHealth(*of_city, "city", true);
  const auto of_town = StartDispatch({}, {"town", "city"});
  WaitForHealth(*of_town, "town", true);
  const std::string both = of_city->address() + "," + of_town->address();
  for (const char* market : {"city", "town"}) {
    const auto stub = v1::DispatchService::NewStub(rpc::MakeChannel(both, {.health_part = market}));
    for (int i = 0; i < 10; ++i) {
      grpc::ClientContext context;
      rpc::SetCaller(context, {rpc::CallerKind::kDriver, "d-1"});
      rpc::SetTimeout(context, std::chrono::seconds(30));
      context.set_wait_for_ready(true);
      const auto stream = stub->Drive(&context);
      v1::DriveRequest hello;
      hello.mutable_hello()->set_market(market);
      hello.mutable_hello()->set_seats(4);
      stream->Write(hello);
      v1::DriveResponse response;
      EXPECT_TRUE(stream->Read(&response)) << stream->Finish().error_message();
      EXPECT_TRUE(response.has_welcome());
      context.TryCancel();
    }
  }
}

TEST_F(DispatchServerTest, LogsOnceThatTripDoesNotServeItsMarketAndWhatToDo) {
  const testing::CapturedLog log;
  StartServices({"city"});
  server_ = StartDispatch({}, {"town"});
  for (double refused = 0; refused < 3;) {
    const auto metrics = ScrapeMetrics(trip_->metrics_address());
    ASSERT_THAT(metrics, testing::IsOk());
    refused = Sum(*metrics, "trip_rpc_calls_total",
                  {{"method", "FollowTrips"}, {"code", "FAILED_PRECONDITION"}});
  }
  server_.reset();
  const std::string text = log.text();
  const std::size_t line = text.find("log_not_followed market=town");
  ASSERT_NE(line, std::string::npos) << text;
  EXPECT_EQ(text.find("log_not_followed", line + 1), std::string::npos) << text;
  EXPECT_THAT(text.substr(line, text.find('\n', line) - line),
              AllOf(HasSubstr("market 'town' isn't served here, only city"),
                    HasSubstr("give --markets only markets that trip at --trip=" +
                              trip_->address() + " serves")));
}

TEST_F(DispatchServerTest, LogsThatItsTripIsAnotherService) {
  const testing::CapturedLog log;
  StartServices({"city"});
  const std::string wrong = location_->address();
  server_ = StartDispatch({.trip = wrong}, {"city"});
  const std::string advice = "--trip=" + wrong + " is another service; give the address of trip";
  while (log.text().find(advice) == std::string::npos) std::this_thread::yield();
}

TEST_F(DispatchServerTest, LogsWhichTripDoesNotAnswer) {
  const testing::CapturedLog log;
  StartServices({"city"});
  server_ = StartDispatch({.trip = "127.0.0.1:1"}, {"city"});
  const std::string advice = "check --trip=127.0.0.1:1, and whether trip is running";
  while (log.text().find(advice) == std::string::npos) std::this_thread::yield();
}

TEST_F(DispatchServerTest, StopsWithoutTheServicesThatItCalls) {
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

TEST_F(DispatchServerTest, RecordsOnlyInAFolderThatNoOtherProcessRecordsIn) {
  StartServices({"city", "town"});
  const std::string records = folder_.File("records");
  const auto options_of = [&](const char* market) {
    DispatchServer::Options options;
    options.security.insecure = true;
    options.metrics_listen = "127.0.0.1:0";
    options.trip = trip_->address();
    options.location = location_->address();
    options.streets = StreetsOf({market});
    options.record = records;
    return options;
  };
  auto first = DispatchServer::Start(options_of("city"));
  ASSERT_THAT(first, testing::IsOk());
  // Also where it serves another market.
  EXPECT_THAT(DispatchServer::Start(options_of("town")),
              testing::StatusIs(absl::StatusCode::kFailedPrecondition,
                                "is in use by process " + std::to_string(getpid())));
  first->reset();
  EXPECT_THAT(DispatchServer::Start(options_of("town")), testing::IsOk());
}

}  // namespace
}  // namespace ridestream::dispatch
