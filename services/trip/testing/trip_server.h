#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "gtest/gtest.h"
#include "libs/proto_values/proto_values.h"
#include "libs/rpc/caller.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/server.h"
#include "libs/rpc/status.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_folder.h"
#include "ridestream/trip/v1/trip.grpc.pb.h"
#include "services/trip/handlers/trip_feed.h"
#include "services/trip/handlers/trip_handlers.h"
#include "services/trip/rpc/trip_service.h"
#include "services/trip/storage/sqlite_trip_store.h"
#include "services/trip/testing/trip_samples.h"

namespace ridestream::trip::testing {

/// Streets without streets: everything between 40 and 41 degrees north is in the market, 40.9 and
/// above is an island, and a way has a kilometre and two minutes for each 10^5 units of latitude.
class FakeRouter final : public QuoteRouter {
 public:
  absl::StatusOr<Way> FindWay(LatLng pickup, LatLng dropoff) const override {
    if (!IsInMarket(pickup)) return absl::InvalidArgumentError("pickup: no street is near");
    if (!IsInMarket(dropoff)) return absl::InvalidArgumentError("dropoff: no street is near");
    if (dropoff.lat_e7 >= 409'000'000) return absl::FailedPreconditionError("no way leads there");
    const auto steps =
        static_cast<std::uint32_t>(std::abs(pickup.lat_e7 - dropoff.lat_e7)) / 100'000;
    return Way{steps * 1000, std::chrono::minutes(2 * steps)};
  }

 private:
  static bool IsInMarket(LatLng place) {
    return place.lat_e7 >= 400'000'000 && place.lat_e7 < 410'000'000;
  }
};

inline const rpc::Caller kRider{rpc::CallerKind::kRider, "r"};
inline const rpc::Caller kOtherRider{rpc::CallerKind::kRider, "r-other"};
inline const rpc::Caller kDriver{rpc::CallerKind::kDriver, "d"};
inline const rpc::Caller kOperator{rpc::CallerKind::kOperator, "o"};
inline const rpc::Caller kService{rpc::CallerKind::kService, "dispatch"};

/// A context for one call, with a deadline that turns a hanging test into a failing one.
inline std::unique_ptr<grpc::ClientContext> As(const rpc::Caller& caller) {
  auto context = std::make_unique<grpc::ClientContext>();
  rpc::SetCaller(*context, caller);
  rpc::SetTimeout(*context, std::chrono::seconds(30));
  return context;
}

/// The whole trip service on a free port, over a SQLite file in a folder of its own.
class TripServerTest : public ::testing::Test {
 protected:
  using Stub = v1::TripService::Stub;

  void SetUp() override { StartServer(); }
  void TearDown() override { StopServer(); }

  void StartServer() {
    feed_ = std::make_unique<TripFeed>();
    auto store = SqliteTripStore::Open(
        {.path = folder_.File("trips.db"),
         .clock = clock_,
         .listener = [this](const std::vector<EventPtr>& events) { feed_->Publish(events); }});
    ASSERT_THAT(store, ridestream::testing::IsOk());
    store_ = *std::move(store);
    handlers_ = std::make_unique<TripHandlers>(
        TripHandlers::Options{.store = *store_,
                              .feed = *feed_,
                              .surge = surge_,
                              .terms = terms_,
                              .clock = clock_,
                              .executor = executor_,
                              .markets = {{kMarket, &router_}, {"other", &router_}},
                              .tariff = SampleTariff(),
                              .sharing = {}});
    service_ = std::make_unique<TripService>(*handlers_, authenticator_);
    auto server = rpc::Server::Start(
        {.services = {service_.get()}, .on_drain = {[this] { feed_->Close(); }}});
    ASSERT_THAT(server, ridestream::testing::IsOk());
    server_ = *std::move(server);
    const std::string address = "127.0.0.1:" + std::to_string(server_->port());
    stub_ = v1::TripService::NewStub(rpc::MakeChannel(address));
  }

  void StopServer() {
    stub_.reset();
    server_.reset();
    service_.reset();
    handlers_.reset();
    store_.reset();
    feed_.reset();
  }

  /// Makes a unary call and returns its status and response as one.
  template <class Request, class Response>
  absl::StatusOr<Response> Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                             Response*),
                                const rpc::Caller& caller, const Request& request) {
    Response response;
    const auto context = As(caller);
    const grpc::Status status = (stub_.get()->*method)(context.get(), request, &response);
    if (!status.ok()) return rpc::FromGrpcStatus(status);
    return response;
  }

  static v1::QuoteTripRequest QuoteRequest() {
    v1::QuoteTripRequest request;
    request.set_market(kMarket);
    *request.mutable_pickup() = ToProto(LatLng{407'000'000, -739'000'000});
    *request.mutable_dropoff() = ToProto(LatLng{407'500'000, -739'000'000});
    request.set_party_size(2);
    return request;
  }

  /// A quote and a request for it; the new trip. `request_id` is also the trip's place in tests.
  v1::Trip Request(const rpc::Caller& rider, const std::string& request_id,
                   const std::string& market = kMarket) {
    v1::QuoteTripRequest quote_request = QuoteRequest();
    quote_request.set_market(market);
    const auto quote = Call(&Stub::QuoteTrip, rider, quote_request);
    EXPECT_THAT(quote, ridestream::testing::IsOk());
    v1::RequestTripRequest request;
    request.set_request_id(request_id);
    request.set_quote_id(quote->quote_id());
    request.set_rider_name("Grace");
    request.set_note("blue coat");
    const auto response = Call(&Stub::RequestTrip, rider, request);
    EXPECT_THAT(response, ridestream::testing::IsOk());
    return response->trip();
  }

  absl::StatusOr<v1::Trip> Cancel(const rpc::Caller& rider, const std::string& trip_id) {
    v1::CancelTripRequest request;
    request.set_request_id("cancel-" + trip_id);
    request.set_trip_id(trip_id);
    request.set_reason(v1::CANCEL_REASON_CHANGED_MIND);
    const auto response = Call(&Stub::CancelTrip, rider, request);
    if (!response.ok()) return response.status();
    return response->trip();
  }

  absl::StatusOr<v1::Trip> Assign(const std::string& trip_id, const std::string& driver,
                                  const std::string& offer) {
    v1::AssignTripRequest request;
    request.set_trip_id(trip_id);
    request.set_offer_id(offer);
    *request.mutable_driver() = SampleDriver(driver);
    request.set_seats(4);
    const auto response = Call(&Stub::AssignTrip, kService, request);
    if (!response.ok()) return response.status();
    return response->trip();
  }

  absl::StatusOr<v1::Trip> AdvanceTo(const std::string& trip_id, v1::TripState to,
                                     const std::string& driver = "d") {
    v1::AdvanceTripRequest request;
    request.set_trip_id(trip_id);
    request.set_driver_id(driver);
    request.set_to(to);
    const auto response = Call(&Stub::AdvanceTrip, kService, request);
    if (!response.ok()) return response.status();
    return response->trip();
  }

  ridestream::testing::TempFolder folder_;
  ManualClock clock_;
  rpc::TrustingAuthenticator authenticator_;
  FakeRouter router_;
  SurgeTable surge_;
  KnownTerms terms_;
  std::unique_ptr<TripFeed> feed_;
  std::unique_ptr<SqliteTripStore> store_;
  ThreadExecutor executor_;
  std::unique_ptr<TripHandlers> handlers_;
  std::unique_ptr<TripService> service_;
  std::unique_ptr<rpc::Server> server_;
  std::unique_ptr<Stub> stub_;
};

}  // namespace ridestream::trip::testing
