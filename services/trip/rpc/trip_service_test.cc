// The unary calls, over the wire.

#include "services/trip/rpc/trip_service.h"

#include <fmt/format.h>

#include <functional>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "libs/proto_values/proto_values.h"
#include "libs/testing/status_matchers.h"
#include "s2/s2cell_id.h"
#include "s2/s2latlng.h"
#include "services/trip/testing/trip_server.h"

namespace ridestream::trip {
namespace {

using namespace testing;  // NOLINT: samples.
using ridestream::testing::IsOk;
using ridestream::testing::StatusIs;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr auto kDenied = absl::StatusCode::kPermissionDenied;
constexpr auto kNotFound = absl::StatusCode::kNotFound;
constexpr auto kPrecondition = absl::StatusCode::kFailedPrecondition;

class TripServiceTest : public TripServerTest {
 protected:
  /// A request, broken in one place, and the error that names the place.
  template <class Request>
  struct Broken {
    std::function<void(Request&)> break_it;
    absl::StatusCode code;
    std::string message;
  };

  template <class Request, class Response>
  void ExpectRefused(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                     const rpc::Caller& caller, const Request& good,
                     const std::vector<Broken<Request>>& cases) {
    for (const Broken<Request>& broken : cases) {
      Request request = good;
      broken.break_it(request);
      SCOPED_TRACE(request.ShortDebugString());
      EXPECT_THAT(Call(method, caller, request), StatusIs(broken.code, broken.message));
    }
  }
};

TEST_F(TripServiceTest, QuotePriceIsThatOfTheTripAndOfItsReceipt) {
  const auto quote = Call(&Stub::QuoteTrip, kRider, QuoteRequest());
  ASSERT_THAT(quote, IsOk());
  // 5 km and 10 minutes by the sample tariff.
  EXPECT_EQ(quote->fare().total().amount_minor(), 250 + 5 * 175 + 10 * 35);
  EXPECT_EQ(FromProto(quote->expires_at()), clock_.Now() + std::chrono::minutes(5));
  const v1::Trip trip = Request(kRider, "a");
  EXPECT_EQ(trip.state(), v1::TRIP_STATE_REQUESTED);
  EXPECT_EQ(trip.passenger().rider_id(), "r");
  EXPECT_EQ(trip.passenger().party_size(), 2u);
  EXPECT_EQ(trip.passenger().name(), "Grace");
  EXPECT_EQ(trip.passenger().note(), "blue coat");
  ASSERT_THAT(Assign(trip.trip_id(), "d", "o"), IsOk());
  ASSERT_THAT(AdvanceTo(trip.trip_id(), v1::TRIP_STATE_ARRIVED), IsOk());
  ASSERT_THAT(AdvanceTo(trip.trip_id(), v1::TRIP_STATE_ABOARD), IsOk());
  const absl::StatusOr<v1::Trip> completed = AdvanceTo(trip.trip_id(), v1::TRIP_STATE_COMPLETED);
  ASSERT_THAT(completed, IsOk());
  EXPECT_EQ(completed->fare().SerializeAsString(), quote->fare().SerializeAsString());
}

TEST_F(TripServiceTest, SurgeIsFrozenInTheQuoteAndLeftOutWhenItEnds) {
  v1::ReportSurgeRequest report;
  report.set_market(kMarket);
  const LatLng pickup = FromProto(QuoteRequest().pickup());
  report.add_cells()->set_s2_cell_id(
      S2CellId(S2LatLng::FromDegrees(pickup.lat(), pickup.lng())).parent(13).id());
  report.mutable_cells(0)->set_surge_percent(150);
  ASSERT_THAT(Call(&Stub::ReportSurge, kService, report), IsOk());
  const v1::Trip dear = Request(kRider, "a");
  EXPECT_EQ(dear.fare().tariff().surge_percent(), 150u);
  EXPECT_EQ(dear.fare().surge_minor(), (250 + 5 * 175 + 10 * 35) / 2 + 1) << "rounded half up";
  EXPECT_EQ(dear.fare().total().amount_minor(), 250 + 5 * 175 + 10 * 35 + 738);

  report.clear_cells();
  ASSERT_THAT(Call(&Stub::ReportSurge, kService, report), IsOk());
  const auto quote = Call(&Stub::QuoteTrip, kRider, QuoteRequest());
  ASSERT_THAT(quote, IsOk());
  EXPECT_EQ(quote->fare().surge_minor(), 0);
  v1::ChangeDestinationRequest change;
  change.set_request_id("c");
  change.set_trip_id(dear.trip_id());
  *change.mutable_dropoff() = ToProto(LatLng{408'000'000, -739'000'000});
  const auto changed = Call(&Stub::ChangeDestination, kRider, change);
  ASSERT_THAT(changed, IsOk());
  EXPECT_EQ(changed->trip().fare().surge_minor(), (250 + 10 * 175 + 20 * 35) / 2)
      << "what was quoted stays";
}

TEST_F(TripServiceTest, BadReportsOfSurgeAreRefused) {
  v1::ReportSurgeRequest report;
  report.set_market(kMarket);
  EXPECT_THAT(Call(&Stub::ReportSurge, kRider, report), StatusIs(kDenied, "isn't for"));
  report.add_cells();
  EXPECT_THAT(Call(&Stub::ReportSurge, kService, report), StatusIs(kInvalid, "cells[0]"));
  report.set_market("atlantis");
  EXPECT_THAT(Call(&Stub::ReportSurge, kService, report), StatusIs(kPrecondition, "atlantis"));
}

TEST_F(TripServiceTest, QuoteIsUsableAfterARestart) {
  const auto quote = Call(&Stub::QuoteTrip, kRider, QuoteRequest());
  ASSERT_THAT(quote, IsOk());
  StopServer();
  StartServer();
  v1::RequestTripRequest request;
  request.set_request_id("a");
  request.set_quote_id(quote->quote_id());
  const auto trip = Call(&Stub::RequestTrip, kRider, request);
  ASSERT_THAT(trip, IsOk());
  EXPECT_EQ(trip->trip().fare().total().amount_minor(), quote->fare().total().amount_minor());
}

TEST_F(TripServiceTest, SameRequestTwiceIsOneTripAlsoAfterARestart) {
  const auto quote = Call(&Stub::QuoteTrip, kRider, QuoteRequest());
  ASSERT_THAT(quote, IsOk());
  v1::RequestTripRequest request;
  request.set_request_id("a");
  request.set_quote_id(quote->quote_id());
  const auto first = Call(&Stub::RequestTrip, kRider, request);
  ASSERT_THAT(first, IsOk());
  ASSERT_THAT(Cancel(kRider, first->trip().trip_id()), IsOk());
  StopServer();
  StartServer();
  const auto second = Call(&Stub::RequestTrip, kRider, request);
  ASSERT_THAT(second, IsOk());
  EXPECT_EQ(second->trip().trip_id(), first->trip().trip_id());
  EXPECT_EQ(second->trip().state(), v1::TRIP_STATE_CANCELLED);
  const auto list = Call(&Stub::ListTrips, kRider, v1::ListTripsRequest());
  EXPECT_EQ(list->trips_size(), 1);
}

TEST_F(TripServiceTest, ChangedDestinationIsPricedFromThePickUpByTheFrozenTariff) {
  const v1::Trip trip = Request(kRider, "a");
  v1::ChangeDestinationRequest change;
  change.set_request_id("c");
  change.set_trip_id(trip.trip_id());
  *change.mutable_dropoff() = ToProto(LatLng{408'000'000, -739'000'000});
  const auto changed = Call(&Stub::ChangeDestination, kRider, change);
  ASSERT_THAT(changed, IsOk());
  EXPECT_EQ(changed->trip().fare().total().amount_minor(), 250 + 10 * 175 + 20 * 35);
  EXPECT_EQ(changed->trip().version(), 2u);
  EXPECT_EQ(Call(&Stub::ChangeDestination, kRider, change)->trip().version(), 2u);
}

TEST_F(TripServiceTest, BadQuotesAreRefusedByField) {
  using R = v1::QuoteTripRequest;
  ExpectRefused(
      &Stub::QuoteTrip, kRider, QuoteRequest(),
      {{[](R& r) { r.clear_market(); }, kInvalid, "market: "},
       {[](R& r) { r.set_market(std::string(65, 'm')); }, kInvalid, "market: "},
       {[](R& r) { r.set_market("atlantis"); }, kPrecondition, "market 'atlantis'"},
       {[](R& r) { r.clear_pickup(); }, kInvalid, "pickup: is missing"},
       {[](R& r) { r.mutable_pickup()->set_lat_e7(900'000'001); }, kInvalid, "pickup.lat_e7"},
       {[](R& r) { r.mutable_pickup()->set_lng_e7(-1'800'000'001); }, kInvalid, "pickup.lng_e7"},
       {[](R& r) { r.mutable_pickup()->set_lat_e7(0); }, kInvalid, "pickup: no street"},
       {[](R& r) { r.clear_dropoff(); }, kInvalid, "dropoff: is missing"},
       {[](R& r) { r.mutable_dropoff()->set_lng_e7(2'000'000'000); }, kInvalid, "dropoff.lng_e7"},
       {[](R& r) { r.mutable_dropoff()->set_lat_e7(0); }, kInvalid, "dropoff: no street"},
       {[](R& r) { r.mutable_dropoff()->set_lat_e7(409'500'000); }, kPrecondition, "no way"},
       {[](R& r) { r.set_party_size(0); }, kInvalid, "party_size: must be in 1 to 8, is 0"},
       {[](R& r) { r.set_party_size(9); }, kInvalid, "party_size: must be in 1 to 8, is 9"}});
  EXPECT_THAT(Call(&Stub::QuoteTrip, kService, QuoteRequest()), StatusIs(kDenied, "isn't for"));
}

TEST_F(TripServiceTest, BadRequestsAreRefusedByField) {
  const auto quote = Call(&Stub::QuoteTrip, kRider, QuoteRequest());
  ASSERT_THAT(quote, IsOk());
  using R = v1::RequestTripRequest;
  R good;
  good.set_request_id("a");
  good.set_quote_id(quote->quote_id());
  ExpectRefused(
      &Stub::RequestTrip, kRider, good,
      {{[](R& r) { r.clear_request_id(); }, kInvalid, "request_id: "},
       {[](R& r) { r.set_request_id("no spaces"); }, kInvalid, "request_id: "},
       {[](R& r) { r.clear_quote_id(); }, kInvalid, "quote_id: "},
       {[](R& r) { r.set_quote_id("q-unknown"); }, kNotFound, "q-unknown"},
       {[](R& r) { r.set_rider_name(std::string(65, 'n')); }, kInvalid, "rider_name: "},
       {[](R& r) { r.set_note(std::string(257, 'n')); }, kInvalid, "note: must have at most 256"}});
  EXPECT_THAT(Call(&Stub::RequestTrip, kOtherRider, good), StatusIs(kNotFound, "no quote"));
  EXPECT_THAT(Call(&Stub::RequestTrip, kDriver, good), StatusIs(kDenied, "isn't for"));
  clock_.Advance(std::chrono::minutes(6));
  EXPECT_THAT(Call(&Stub::RequestTrip, kRider, good), StatusIs(kPrecondition, "has expired"));
}

TEST_F(TripServiceTest, SecondOpenTripIsRefusedAndTheFirstIsNamed) {
  const v1::Trip trip = Request(kRider, "a");
  const auto quote = Call(&Stub::QuoteTrip, kRider, QuoteRequest());
  v1::RequestTripRequest request;
  request.set_request_id("b");
  request.set_quote_id(quote->quote_id());
  EXPECT_THAT(Call(&Stub::RequestTrip, kRider, request), StatusIs(kPrecondition, trip.trip_id()));
  request.set_request_id("a");
  EXPECT_THAT(Call(&Stub::RequestTrip, kRider, request),
              StatusIs(absl::StatusCode::kAlreadyExists, "request_id"));
}

TEST_F(TripServiceTest, BadCancellationsAndChangesAreRefusedByField) {
  const v1::Trip trip = Request(kRider, "a");
  using C = v1::CancelTripRequest;
  C cancel;
  cancel.set_request_id("c");
  cancel.set_trip_id(trip.trip_id());
  cancel.set_reason(v1::CANCEL_REASON_OTHER);
  ExpectRefused(
      &Stub::CancelTrip, kRider, cancel,
      {{[](C& r) { r.clear_request_id(); }, kInvalid, "request_id: "},
       {[](C& r) { r.clear_trip_id(); }, kInvalid, "trip_id: "},
       {[](C& r) { r.set_trip_id("t-unknown"); }, kNotFound, "no trip t-unknown"},
       {[](C& r) { r.clear_reason(); }, kInvalid, "reason: "},
       {[](C& r) { r.set_reason(static_cast<v1::CancelReason>(99)); }, kInvalid, "is 99"},
       {[](C& r) { r.set_reason(v1::CANCEL_REASON_NO_SHOW); }, kInvalid, "reason: NO_SHOW"},
       {[](C& r) { r.set_comment(std::string(257, 'c')); }, kInvalid, "comment: "}});
  EXPECT_THAT(Call(&Stub::CancelTrip, kOtherRider, cancel), StatusIs(kDenied, "another rider's"));
  EXPECT_THAT(Call(&Stub::CancelTrip, kDriver, cancel), StatusIs(kDenied, "isn't for driver"));

  using D = v1::ChangeDestinationRequest;
  D change;
  change.set_request_id("d");
  change.set_trip_id(trip.trip_id());
  *change.mutable_dropoff() = ToProto(LatLng{408'000'000, -739'000'000});
  ExpectRefused(
      &Stub::ChangeDestination, kRider, change,
      {{[](D& r) { r.clear_request_id(); }, kInvalid, "request_id: "},
       {[](D& r) { r.set_trip_id("t-unknown"); }, kNotFound, "no trip t-unknown"},
       {[](D& r) { r.clear_dropoff(); }, kInvalid, "dropoff: is missing"},
       {[](D& r) { r.mutable_dropoff()->set_lat_e7(-900'000'001); }, kInvalid, "dropoff.lat_e7"},
       {[](D& r) { r.mutable_dropoff()->set_lat_e7(0); }, kInvalid, "dropoff: no street"},
       {[](D& r) { r.mutable_dropoff()->set_lat_e7(409'500'000); }, kPrecondition, "no way"}});
  EXPECT_THAT(Call(&Stub::ChangeDestination, kOtherRider, change), StatusIs(kDenied, "another"));
  ASSERT_THAT(Cancel(kRider, trip.trip_id()), IsOk());
  EXPECT_THAT(Call(&Stub::ChangeDestination, kRider, change), StatusIs(kPrecondition, "CANCELLED"));
}

TEST_F(TripServiceTest, AnOperatorFreesARiderWhoIsAboard) {
  const v1::Trip trip = Request(kRider, "a");
  ASSERT_THAT(Assign(trip.trip_id(), "d", "o"), IsOk());
  v1::AdvanceTripRequest advance;
  advance.set_trip_id(trip.trip_id());
  advance.set_driver_id("d");
  for (const v1::TripState step : {v1::TRIP_STATE_ARRIVED, v1::TRIP_STATE_ABOARD}) {
    advance.set_to(step);
    ASSERT_THAT(Call(&Stub::AdvanceTrip, kService, advance), IsOk());
  }
  v1::CancelTripRequest cancel;
  cancel.set_request_id("c");
  cancel.set_trip_id(trip.trip_id());
  cancel.set_reason(v1::CANCEL_REASON_OTHER);
  EXPECT_THAT(Call(&Stub::CancelTrip, kRider, cancel), StatusIs(kPrecondition, "driver is lost"));
  const auto ended = Call(&Stub::CancelTrip, kService, cancel);
  ASSERT_THAT(ended, IsOk());
  EXPECT_EQ(ended->trip().state(), v1::TRIP_STATE_CANCELLED);
  EXPECT_EQ(ended->trip().cancellation().by_service_id(), "dispatch");
  EXPECT_FALSE(ended->trip().cancellation().has_fee());
  EXPECT_EQ(Request(kRider, "b").state(), v1::TRIP_STATE_REQUESTED);
}

TEST_F(TripServiceTest, BadCommandsOfServicesAreRefusedByField) {
  const v1::Trip trip = Request(kRider, "a");
  using A = v1::AssignTripRequest;
  A assign;
  assign.set_trip_id(trip.trip_id());
  assign.set_offer_id("o");
  *assign.mutable_driver() = SampleDriver("d");
  assign.set_seats(4);
  ExpectRefused(
      &Stub::AssignTrip, kService, assign,
      {{[](A& r) { r.clear_trip_id(); }, kInvalid, "trip_id: "},
       {[](A& r) { r.set_trip_id("t-unknown"); }, kNotFound, "no trip"},
       {[](A& r) { r.clear_offer_id(); }, kInvalid, "offer_id: "},
       {[](A& r) { r.clear_driver(); }, kInvalid, "driver.driver_id: "},
       {[](A& r) { r.mutable_driver()->set_name(std::string(65, 'n')); }, kInvalid, "driver.name"},
       {[](A& r) { r.mutable_driver()->mutable_vehicle()->set_plate(std::string(17, 'p')); },
        kInvalid, "driver.vehicle.plate"},
       {[](A& r) { r.set_seats(0); }, kInvalid, "seats: must be in 1 to 8, is 0"},
       {[](A& r) { r.set_seats(9); }, kInvalid, "seats: must be in 1 to 8, is 9"},
       {[](A& r) { r.set_seats(1); }, kPrecondition, "don't fit"}});
  ASSERT_THAT(Assign(trip.trip_id(), "d", "o"), IsOk());
  EXPECT_THAT(Assign(trip.trip_id(), "e", "o2"),
              StatusIs(absl::StatusCode::kAborted, "already taken"));

  using V = v1::AdvanceTripRequest;
  V advance;
  advance.set_trip_id(trip.trip_id());
  advance.set_driver_id("d");
  advance.set_to(v1::TRIP_STATE_ARRIVED);
  ExpectRefused(&Stub::AdvanceTrip, kService, advance,
                {{[](V& r) { r.clear_driver_id(); }, kInvalid, "driver_id: "},
                 {[](V& r) { r.set_driver_id("e"); }, kDenied, "another driver's"},
                 {[](V& r) { r.set_to(v1::TRIP_STATE_CANCELLED); }, kInvalid, "to: must be"},
                 {[](V& r) { r.clear_to(); }, kInvalid, "to: must be"},
                 {[](V& r) { r.set_to(v1::TRIP_STATE_COMPLETED); }, kPrecondition, "ASSIGNED"}});

  using L = v1::ReleaseTripRequest;
  L release;
  release.set_trip_id(trip.trip_id());
  release.set_driver_id("d");
  release.set_reason(v1::RELEASE_REASON_DRIVER_LOST);
  ExpectRefused(&Stub::ReleaseTrip, kService, release,
                {{[](L& r) { r.set_trip_id("?"); }, kInvalid, "trip_id: "},
                 {[](L& r) { r.clear_driver_id(); }, kInvalid, "driver_id: "},
                 {[](L& r) { r.clear_reason(); }, kInvalid, "reason: "},
                 {[](L& r) { r.set_reason(v1::RELEASE_REASON_REASSIGNED); }, kInvalid, "reason: "},
                 {[](L& r) { r.set_reason(v1::RELEASE_REASON_NO_SHOW); }, kPrecondition, "arrived"},
                 {[](L& r) { r.set_note(std::string(257, 'n')); }, kInvalid, "note: "}});
  using R = v1::ReportDriverLostRequest;
  R lost;
  lost.set_trip_id(trip.trip_id());
  lost.set_driver_id("d");
  lost.set_lost(true);
  ExpectRefused(&Stub::ReportDriverLost, kService, lost,
                {{[](R& r) { r.set_trip_id("?"); }, kInvalid, "trip_id: "},
                 {[](R& r) { r.clear_driver_id(); }, kInvalid, "driver_id: "},
                 {[](R& r) { r.set_driver_id("e"); }, kDenied, "another driver's"},
                 {[](R&) {}, kPrecondition, "ASSIGNED"}});
  v1::GiveUpTripRequest give_up;
  EXPECT_THAT(Call(&Stub::GiveUpTrip, kService, give_up), StatusIs(kInvalid, "trip_id: "));
  give_up.set_trip_id(trip.trip_id());
  EXPECT_THAT(Call(&Stub::GiveUpTrip, kService, give_up), StatusIs(kPrecondition, "ASSIGNED"));
  EXPECT_EQ(Call(&Stub::ReleaseTrip, kService, release)->trip().state(), v1::TRIP_STATE_REQUESTED);
  EXPECT_EQ(Call(&Stub::GiveUpTrip, kService, give_up)->trip().state(), v1::TRIP_STATE_UNSERVED);

  for (const rpc::Caller& caller : {kRider, kDriver}) {
    EXPECT_THAT(Call(&Stub::AssignTrip, caller, assign), StatusIs(kDenied, "isn't for"));
    EXPECT_THAT(Call(&Stub::AdvanceTrip, caller, advance), StatusIs(kDenied, "isn't for"));
    EXPECT_THAT(Call(&Stub::ReleaseTrip, caller, release), StatusIs(kDenied, "isn't for"));
    EXPECT_THAT(Call(&Stub::GiveUpTrip, caller, give_up), StatusIs(kDenied, "isn't for"));
    EXPECT_THAT(Call(&Stub::ReportDriverLost, caller, lost), StatusIs(kDenied, "isn't for"));
  }
}

TEST_F(TripServiceTest, TripIsReadByItsRiderAndByServicesOnly) {
  v1::GetTripRequest request;
  EXPECT_THAT(Call(&Stub::GetTrip, kRider, request), StatusIs(kInvalid, "trip_id: "));
  request.set_trip_id("t-unknown");
  EXPECT_THAT(Call(&Stub::GetTrip, kRider, request), StatusIs(kNotFound, "no trip t-unknown"));
  const v1::Trip trip = Request(kRider, "a");
  request.set_trip_id(trip.trip_id());
  EXPECT_EQ(Call(&Stub::GetTrip, kRider, request)->trip().SerializeAsString(),
            trip.SerializeAsString());
  EXPECT_THAT(Call(&Stub::GetTrip, kOperator, request), IsOk());
  EXPECT_THAT(Call(&Stub::GetTrip, kOtherRider, request), StatusIs(kDenied, "another rider's"));
  EXPECT_THAT(Call(&Stub::GetTrip, kDriver, request), StatusIs(kDenied, "isn't for driver"));
  v1::GetTripResponse response;
  grpc::ClientContext nobody;
  EXPECT_EQ(stub_->GetTrip(&nobody, request, &response).error_code(),
            grpc::StatusCode::UNAUTHENTICATED);
}

TEST_F(TripServiceTest, ListIsPagedAndItsTokensAreForItAlone) {
  std::vector<std::string> ids;
  for (int i = 0; i < 5; ++i) {
    ids.push_back(Request(kRider, fmt::format("a{}", i)).trip_id());
    ASSERT_THAT(Cancel(kRider, ids.back()), IsOk());
  }
  Request(kOtherRider, "b");
  std::vector<std::string> listed;
  v1::ListTripsRequest request;
  request.set_page_size(2);
  int pages = 0;
  do {
    const auto page = Call(&Stub::ListTrips, kRider, request);
    ASSERT_THAT(page, IsOk());
    for (const v1::Trip& trip : page->trips()) listed.push_back(trip.trip_id());
    request.set_page_token(page->next_page_token());
    ++pages;
  } while (!request.page_token().empty());
  EXPECT_EQ(pages, 3);
  EXPECT_EQ(listed, std::vector<std::string>(ids.rbegin(), ids.rend()));

  request.set_page_token(Call(&Stub::ListTrips, kRider, request)->next_page_token());
  ASSERT_NE(request.page_token(), "");
  EXPECT_THAT(Call(&Stub::ListTrips, kOtherRider, request), StatusIs(kInvalid, "page_token: "));
  using R = v1::ListTripsRequest;
  ExpectRefused(&Stub::ListTrips, kRider, request,
                {{[](R& r) { r.set_page_token("nonsense"); }, kInvalid, "page_token: "},
                 {[](R& r) { r.set_page_token("0." + r.page_token()); }, kInvalid, "page_token: "},
                 {[](R& r) { r.set_market("other"); }, kInvalid, "page_token: "},
                 {[](R& r) { r.set_market("!"); }, kInvalid, "market: "},
                 {[](R& r) { r.set_page_size(201); }, kInvalid, "page_size: must be in 0 to 200"},
                 {[](R& r) { r.set_rider_id("r-other"); }, kDenied, "rider_id: "},
                 {[](R& r) { r.set_rider_id("!"); }, kDenied, "rider_id: "}});
  EXPECT_EQ(Call(&Stub::ListTrips, kOperator, R())->trips_size(), 6);
  R of_rider;
  of_rider.set_rider_id("r-other");
  EXPECT_EQ(Call(&Stub::ListTrips, kOperator, of_rider)->trips_size(), 1);
}

}  // namespace
}  // namespace ridestream::trip
