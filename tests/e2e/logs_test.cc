// One id followed through the logs of all services.

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "libs/base/clock.h"
#include "libs/identity/development_authority.h"
#include "libs/process/local_services.h"
#include "libs/roads/streets.h"
#include "libs/rpc/caller.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/development_security.h"
#include "libs/testing/status_matchers.h"
#include "ridestream/trip/v1/trip.grpc.pb.h"
#include "tests/e2e/bystanders.h"
#include "tests/e2e/test_driver.h"
#include "tests/e2e/test_rider.h"

namespace ridestream::e2e {
namespace {

/// The lines of a service's log that contain all of these.
std::vector<std::string> Lines(const process::LocalServices& system, const std::string& service,
                               const std::vector<std::string>& parts) {
  std::ifstream log(system.folder() + "/" + service + ".log");
  std::vector<std::string> lines;
  for (std::string line; std::getline(log, line);) {
    bool all = true;
    for (const std::string& part : parts) all = all && line.find(part) != std::string::npos;
    if (all) lines.push_back(line);
  }
  return lines;
}

/// Waits for the line, because logs are written a moment later.
void WaitForLine(const process::LocalServices& system, const std::string& service,
                 const std::vector<std::string>& parts) {
  while (Lines(system, service, parts).empty()) std::this_thread::yield();
}

TEST(LogsTest, ARequestIsFoundInTheLogsOfAllServicesByItsId) {
  const char* bin = std::getenv("RIDESTREAM_BIN");
  ASSERT_NE(bin, nullptr) << "run by ctest, or set RIDESTREAM_BIN to the folder of the binaries";
  const auto system =
      process::LocalServices::Start({.bin = bin, .dispatch_flags = {"--match_every=200ms"}});
  ASSERT_THAT(system, testing::IsOk());
  ASSERT_THAT(rpc::UseDevelopmentAuthority((*system)->authority()), testing::IsOk());
  const auto streets = roads::Streets::Load("city:1");
  ASSERT_THAT(streets, testing::IsOk());
  std::mt19937_64 random(7);
  const LatLng from = roads::RandomPointOnStreet((*streets)->graph(), random);
  const LatLng to = roads::RandomPointOnStreet((*streets)->graph(), random);

  TestDriver driver((*system)->dispatch(), "d-1", OffsetBy(from, 50, 0));
  TestRider rider((*system)->trip(), "r-1");
  const trip::v1::Trip trip = rider.Request(rider.Quote(from, to), "first");
  driver.AcceptAndFinish(driver.WaitForOffer());
  rider.WaitFor(trip::v1::TRIP_STATE_COMPLETED);

  const std::string request = " request=" + trip.x_request_id();
  const std::string of_trip = " trip=" + trip.trip_id();
  ASSERT_NE(trip.x_request_id(), "");
  for (const char* event : {" trip_requested ", " trip_assigned ", " trip_arrived ",
                            " trip_aboard ", " trip_completed "}) {
    WaitForLine(**system, "trip", {event, request, of_trip, " rider=r-1"});
  }
  WaitForLine(**system, "trip", {" trip_completed ", " driver=d-1"});
  WaitForLine(**system, "location", {" nearest_searched ", request});
  WaitForLine(**system, "dispatch", {" session_begun ", " driver=d-1 session=s-"});
  for (const char* event : {" offer_made ", " offer_ended ", " plan_pushed "}) {
    WaitForLine(**system, "dispatch", {event, request, of_trip, " driver=d-1", " session=s-"});
  }
  EXPECT_EQ(Lines(**system, "location", {request}).size(), 1u)
      << "only the first round for a trip logs its request";
}

class AuditLogTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* bin = std::getenv("RIDESTREAM_BIN");
    ASSERT_NE(bin, nullptr) << "run by ctest, or set RIDESTREAM_BIN to the folder of the binaries";
    const std::vector<std::string> everything = {"--log_level=debug"};
    auto system = process::LocalServices::Start({.bin = bin,
                                                 .trip_flags = everything,
                                                 .location_flags = everything,
                                                 .dispatch_flags = everything});
    ASSERT_THAT(system, testing::IsOk());
    system_ = *std::move(system);
    ASSERT_THAT(rpc::UseDevelopmentAuthority(system_->authority()), testing::IsOk());
  }

  grpc::StatusCode GetTrip(const std::string& token, const std::string& trip_id) const {
    const auto stub = trip::v1::TripService::NewStub(rpc::MakeChannel(system_->trip()));
    grpc::ClientContext context;
    rpc::SetTimeout(context, std::chrono::seconds(30));
    context.AddMetadata("authorization", "Bearer " + token);
    trip::v1::GetTripRequest request;
    request.set_trip_id(trip_id);
    trip::v1::GetTripResponse response;
    return stub->GetTrip(&context, request, &response).error_code();
  }
  grpc::StatusCode WatchTrip(const std::string& token, const std::string& trip_id) const {
    const auto stub = trip::v1::TripService::NewStub(rpc::MakeChannel(system_->trip()));
    grpc::ClientContext context;
    rpc::SetTimeout(context, std::chrono::seconds(30));
    context.AddMetadata("authorization", "Bearer " + token);
    trip::v1::WatchTripRequest request;
    request.set_trip_id(trip_id);
    const auto stream = stub->WatchTrip(&context, request);
    trip::v1::WatchTripResponse response;
    while (stream->Read(&response)) {
    }
    return stream->Finish().error_code();
  }
  std::string Token(rpc::CallerKind kind, const std::string& id) const {
    return *identity::DevelopmentAuthority::MintToken(system_->authority(), {kind, id},
                                                      ScaledClock().Now(), std::chrono::hours(1));
  }

  std::unique_ptr<process::LocalServices> system_;
};

TEST_F(AuditLogTest, RecordsRefusedAndPrivilegedCallsWithoutTheirTokens) {
  const LatLng place = Bystanders::AnyPlace();
  TestRider ada(system_->trip(), "ada");
  const std::string trip_id =
      ada.Request(ada.Quote(place, OffsetBy(place, 700, 300)), "first").trip_id();
  const std::string about = " about=trip_id:" + trip_id;
  const std::string peer = " peer=ipv4:127.0.0.1:";

  const std::string eve = Token(rpc::CallerKind::kRider, "eve");
  EXPECT_EQ(GetTrip(eve, trip_id), grpc::StatusCode::PERMISSION_DENIED);
  WaitForLine(*system_, "trip",
              {" W trip call_refused method=ridestream.trip.v1.TripService.GetTrip ",
               " caller=rider/eve", about, peer, "another rider's"});
  EXPECT_EQ(WatchTrip(eve, trip_id), grpc::StatusCode::PERMISSION_DENIED);
  WaitForLine(*system_, "trip",
              {" call_refused method=ridestream.trip.v1.TripService.WatchTrip ",
               " caller=rider/eve", about, peer, "another rider's"});
  const std::string dan = Token(rpc::CallerKind::kDriver, "dan");
  EXPECT_EQ(GetTrip(dan, trip_id), grpc::StatusCode::PERMISSION_DENIED);
  WaitForLine(*system_, "trip", {" call_refused ", " caller=driver/dan", about, peer, "isn't for"});
  EXPECT_EQ(GetTrip(eve.substr(0, eve.size() - 9), trip_id), grpc::StatusCode::UNAUTHENTICATED);
  WaitForLine(*system_, "trip", {" call_refused ", about, peer, "UNAUTHENTICATED: token: "});
  const std::string olga = Token(rpc::CallerKind::kOperator, "olga");
  EXPECT_EQ(GetTrip(olga, trip_id), grpc::StatusCode::OK);
  WaitForLine(*system_, "trip", {" I trip call_privileged ", " caller=operator/olga", about, peer});

  ASSERT_THAT(system_->Stop(), testing::IsOk());
  for (const std::string& service : system_->names()) {
    for (const std::string& token : {eve, dan, olga}) {
      // Neither whole nor in part, so that the rest can't be guessed.
      const std::string signature = token.substr(token.rfind('.') + 1);
      EXPECT_TRUE(Lines(*system_, service, {signature.substr(0, 20)}).empty()) << service;
      EXPECT_TRUE(Lines(*system_, service, {"Bearer ey"}).empty()) << service;
    }
  }
}

}  // namespace
}  // namespace ridestream::e2e
