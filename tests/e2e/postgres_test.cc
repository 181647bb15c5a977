// Two trip processes on one PostgreSQL database: dispatch uses one of them, the rider the other.

#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "libs/postgres/testing/postgres_server.h"
#include "libs/process/authority.h"
#include "libs/process/local_services.h"
#include "libs/roads/streets.h"
#include "libs/rpc/caller.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/development_security.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_folder.h"
#include "s2/s2cell_id.h"
#include "s2/s2latlng.h"
#include "tests/e2e/service_channel.h"
#include "tests/e2e/test_driver.h"
#include "tests/e2e/test_rider.h"

namespace ridestream::e2e {
namespace {

using namespace dispatch::v1;  // NOLINT: the vocabulary of every line below.
using trip::v1::TripService;

const rpc::Caller kOperator{rpc::CallerKind::kOperator, "test"};

class PostgresTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* bin = std::getenv("RIDESTREAM_BIN");
    ASSERT_NE(bin, nullptr) << "run by ctest, or set RIDESTREAM_BIN to the folder of the binaries";
    auto server = postgres::testing::PostgresServer::Start();
    ASSERT_THAT(server, testing::IsOk());
    server_ = *std::move(server);
    const std::vector<std::string> flags = {"--store=postgres", "--postgres=" + server_->Url()};
    auto system = process::LocalServices::Start(
        {.bin = bin, .trip_flags = flags, .dispatch_flags = {"--match_every=200ms"}});
    ASSERT_THAT(system, testing::IsOk());
    system_ = *std::move(system);
    ASSERT_THAT(rpc::UseDevelopmentAuthority(system_->authority()), testing::IsOk());
    const auto address = StartSecond();
    ASSERT_THAT(address, testing::IsOk());
    second_address_ = *address;
  }

  /// Starts the second process, or restarts it, and returns its address.
  absl::StatusOr<std::string> StartSecond() {
    std::vector<std::string> flags = process::SecurityFlags(system_->authority(), "trip");
    flags.insert(flags.end(),
                 {"--listen=127.0.0.1:0", "--store=postgres", "--postgres=" + server_->Url()});
    auto second = process::ChildProcess::Start(
        {.binary = std::string(std::getenv("RIDESTREAM_BIN")) + "/trip",
         .arguments = std::move(flags),
         .log_path = folder_.File("second.log")});
    if (!second.ok()) return second.status();
    second_ = *std::move(second);
    return second_->WaitUntilServing();
  }

  /// The log that the process at `address` sends, after a sequence and up to its caught-up mark.
  static std::vector<std::string> Follow(const std::string& address, std::uint64_t after) {
    const auto stub = TripService::NewStub(rpc::MakeChannel(address));
    grpc::ClientContext context;
    rpc::SetCaller(context, kOperator);
    rpc::SetTimeout(context, std::chrono::seconds(30));
    trip::v1::FollowTripsRequest request;
    request.add_markets("city");
    request.set_after_sequence(after);
    const auto stream = stub->FollowTrips(&context, request);
    std::vector<std::string> events;
    trip::v1::FollowTripsResponse response;
    while (stream->Read(&response)) {
      if (response.has_caught_up()) {
        context.TryCancel();
        stream->Finish();
        return events;
      }
      events.push_back(response.event().ShortDebugString());
    }
    ADD_FAILURE() << stream->Finish().error_message();
    return events;
  }

  static trip::v1::Trip GetTrip(const std::string& address, const std::string& id) {
    const auto stub = TripService::NewStub(rpc::MakeChannel(address));
    grpc::ClientContext context;
    rpc::SetCaller(context, kOperator);
    rpc::SetTimeout(context, std::chrono::seconds(30));
    trip::v1::GetTripRequest request;
    request.set_trip_id(id);
    trip::v1::GetTripResponse response;
    const grpc::Status status = stub->GetTrip(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.trip();
  }

  testing::TempFolder folder_;
  std::unique_ptr<postgres::testing::PostgresServer> server_;  // Destroyed last.
  std::unique_ptr<process::LocalServices> system_;
  std::unique_ptr<process::ChildProcess> second_;
  std::string second_address_;
};

TEST_F(PostgresTest, ARideAcrossTwoTripProcesses) {
  const auto streets = *roads::Streets::Load("city:1");
  std::mt19937_64 random(7);
  const LatLng from = roads::RandomPointOnStreet(streets->graph(), random);
  const LatLng to = roads::RandomPointOnStreet(streets->graph(), random);
  const auto driver =
      std::make_unique<TestDriver>(system_->dispatch(), "d-1", OffsetBy(from, 100, 0));
  TestRider rider(second_address_, "r-1");
  const auto trip = rider.Request(rider.Quote(from, to), "first");

  const Offer offer = driver->WaitForOffer();
  EXPECT_EQ(offer.trip_id(), trip.trip_id());
  driver->Answer(offer, true);
  // Dispatch's commands went to the first process; the rider watches at the second.
  EXPECT_EQ(rider.WaitFor(trip::v1::TRIP_STATE_ASSIGNED).driver().driver_id(), "d-1");
  // So did the progress that it reports.
  rider.WaitFor(trip::v1::DRIVER_STATUS_CONNECTED);
  rider.Cancel();
  rider.WaitFor(trip::v1::TRIP_STATE_CANCELLED);
  driver->WaitForPlan(PLAN_CAUSE_RIDER_CANCELLED);

  for (const std::string& address : {system_->trip(), second_address_}) {
    EXPECT_EQ(GetTrip(address, trip.trip_id()).state(), trip::v1::TRIP_STATE_CANCELLED);
  }
  const std::vector<std::string> log = Follow(system_->trip(), 0);
  EXPECT_EQ(log.size(), 3u);
  EXPECT_EQ(Follow(second_address_, 0), log);
  // A follower continues at another process from its position.
  EXPECT_EQ(Follow(second_address_, 2), std::vector<std::string>(log.begin() + 2, log.end()));
}

TEST_F(PostgresTest, SurgeReportedToOneProcessAppliesInAll) {
  const auto streets = *roads::Streets::Load("city:1");
  std::mt19937_64 random(7);
  const LatLng from = roads::RandomPointOnStreet(streets->graph(), random);
  const LatLng to = roads::RandomPointOnStreet(streets->graph(), random);
  trip::v1::ReportSurgeRequest report;
  report.set_market("city");
  report.set_term(1);
  trip::v1::SurgeCell& cell = *report.add_cells();
  cell.set_s2_cell_id(S2CellId(S2LatLng::FromDegrees(from.lat(), from.lng())).parent(13).id());
  cell.set_surge_percent(150);
  const auto stub =
      TripService::NewStub(ConnectAs("dispatch", system_->authority(), "trip", system_->trip()));
  grpc::ClientContext context;
  rpc::SetTimeout(context, std::chrono::seconds(30));
  trip::v1::ReportSurgeResponse response;
  ASSERT_TRUE(stub->ReportSurge(&context, report, &response).ok());
  TestRider rider(second_address_, "r-1");
  // The test's timeout bounds the loop.
  while (rider.Quote(from, to).fare().tariff().surge_percent() != 150) {
  }
  // A process that starts later knows it from the beginning.
  second_->Stop(SIGKILL);
  const auto address = StartSecond();
  ASSERT_THAT(address, testing::IsOk());
  TestRider other(*address, "r-2");
  EXPECT_EQ(other.Quote(from, to).fare().tariff().surge_percent(), 150u);
}

TEST_F(PostgresTest, AnswersOfAKilledProcessAreVisibleAtTheOther) {
  const auto streets = *roads::Streets::Load("city:1");
  std::mt19937_64 random(7);
  const LatLng from = roads::RandomPointOnStreet(streets->graph(), random);
  const LatLng to = roads::RandomPointOnStreet(streets->graph(), random);
  std::vector<std::string> trips;
  for (const char* id : {"r-1", "r-2", "r-3"}) {
    TestRider rider(second_address_, id);
    trips.push_back(rider.Request(rider.Quote(from, to), "first").trip_id());
  }
  second_->Stop(SIGKILL);
  for (const std::string& id : trips) EXPECT_EQ(GetTrip(system_->trip(), id).trip_id(), id);
  // The first process's own log catches up; the test's timeout bounds the loop.
  while (Follow(system_->trip(), 0).size() < trips.size()) {
  }
}

}  // namespace
}  // namespace ridestream::e2e
