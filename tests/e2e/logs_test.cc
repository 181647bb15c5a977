// One id followed through the logs of all services.

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "libs/process/local_services.h"
#include "libs/roads/streets.h"
#include "libs/rpc/development_security.h"
#include "libs/testing/status_matchers.h"
#include "tests/e2e/test_driver.h"
#include "tests/e2e/test_rider.h"

namespace ridestream::e2e {
namespace {

/// The lines of a service's log that hold all of these.
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

/// Waits until the line is there: logs are written a moment later.
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
      << "only the first round that looks for a trip's driver bears its request";
}

}  // namespace
}  // namespace ridestream::e2e
