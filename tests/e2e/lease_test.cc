// Two dispatch processes for one market: one holds the lease; the other takes over when it is
// killed, drained, or stopped for longer than its lease lasts.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "libs/process/authority.h"
#include "libs/process/local_services.h"
#include "libs/roads/streets.h"
#include "libs/rpc/caller.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/development_security.h"
#include "libs/rpc/stale_term.h"
#include "libs/testing/sanitizers.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_folder.h"
#include "tests/e2e/service_channel.h"
#include "tests/e2e/test_driver.h"
#include "tests/e2e/test_rider.h"

namespace ridestream::e2e {
namespace {

using namespace dispatch::v1;  // NOLINT: the vocabulary of every line below.
using ::testing::HasSubstr;
using testing::StatusIs;
using trip::v1::TripService;

/// Riders who request rides and cancel them, one after another, so that trip and its log are busy.
class RestlessRiders {
 public:
  RestlessRiders(const std::string& trip, LatLng from, LatLng to) {
    for (int i = 0; i < kRiders; ++i) {
      threads_.emplace_back([this, trip, from, to, i] {
        for (int n = 0; !stop_ && n < kMaxRides; ++n) {
          TestRider rider(trip, fmt::format("restless-{}-{}", i, n));
          rider.Request(rider.Quote(from, to), "ride");
          rider.Cancel();
        }
      });
    }
  }
  ~RestlessRiders() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  static constexpr int kRiders = 4;
  static constexpr int kMaxRides = 5'000;
  std::atomic<bool> stop_ = false;
  std::vector<std::thread> threads_;
};

class LeaseTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* bin = std::getenv("RIDESTREAM_BIN");
    ASSERT_NE(bin, nullptr) << "run by ctest, or set RIDESTREAM_BIN to the folder of the binaries";
    // A holder that is only slow must not lose its lease.
    const std::string lease = fmt::format("--lease={}s", 2 * testing::kSlowdown);
    auto system = process::LocalServices::Start(
        {.bin = bin, .dispatch_flags = {"--match_every=200ms", lease}});
    ASSERT_THAT(system, testing::IsOk());
    system_ = *std::move(system);
    ASSERT_THAT(rpc::UseDevelopmentAuthority(system_->authority()), testing::IsOk());
    std::vector<std::string> flags = process::SecurityFlags(system_->authority(), "dispatch");
    flags.insert(flags.end(),
                 {"--listen=127.0.0.1:0", "--metrics_listen=off", "--match_every=200ms", lease,
                  "--trip=" + system_->trip(), "--location=" + system_->location()});
    auto standby = process::ChildProcess::Start({.binary = std::string(bin) + "/dispatch",
                                                 .arguments = std::move(flags),
                                                 .log_path = folder_.File("standby.log")});
    ASSERT_THAT(standby, testing::IsOk());
    standby_ = *std::move(standby);
    const auto address = standby_->WaitUntilServing();
    ASSERT_THAT(address, testing::IsOk());
    standby_address_ = *address;
    std::mt19937_64 random(7);
    from_ = roads::RandomPointOnStreet(streets_->graph(), random);
    to_ = roads::RandomPointOnStreet(streets_->graph(), random);
    far_ = roads::RandomPointOnStreet(streets_->graph(), random);
  }

  /// The addresses of both processes; a channel uses the one that serves.
  std::string both() const { return system_->dispatch() + "," + standby_address_; }
  /// How a driver's stream at the standby ends.
  grpc::Status SendHelloToStandby(const std::string& driver) {
    const auto stub = DispatchService::NewStub(rpc::MakeChannel(standby_address_));
    grpc::ClientContext context;
    rpc::SetCaller(context, {rpc::CallerKind::kDriver, driver});
    rpc::SetTimeout(context, std::chrono::seconds(30));
    const auto stream = stub->Drive(&context);
    DriveRequest hello;
    hello.mutable_hello()->set_market("city");
    hello.mutable_hello()->set_seats(4);
    stream->Write(hello);
    DriveResponse response;
    while (stream->Read(&response)) {
    }
    return stream->Finish();
  }
  /// Assigns a trip like a dispatch process that holds the lease in `term`.
  grpc::Status Assign(const std::string& trip, const std::string& driver, std::uint64_t term,
                      bool& marked_as_stale) {
    const auto stub =
        TripService::NewStub(ConnectAs("dispatch", system_->authority(), "trip", system_->trip()));
    grpc::ClientContext context;
    rpc::SetTimeout(context, std::chrono::seconds(30));
    trip::v1::AssignTripRequest request;
    request.set_trip_id(trip);
    request.set_offer_id("o-" + driver);
    request.mutable_driver()->set_driver_id(driver);
    request.set_seats(4);
    request.set_term(term);
    trip::v1::AssignTripResponse response;
    const grpc::Status status = stub->AssignTrip(&context, request, &response);
    marked_as_stale = context.GetServerTrailingMetadata().contains(rpc::kStaleTermKey);
    return status;
  }
  /// Reports that there is no surge, like a dispatch process that holds the lease in `term`.
  grpc::Status ReportSurge(std::uint64_t term, bool& marked_as_stale) {
    const auto stub =
        TripService::NewStub(ConnectAs("dispatch", system_->authority(), "trip", system_->trip()));
    grpc::ClientContext context;
    rpc::SetTimeout(context, std::chrono::seconds(30));
    trip::v1::ReportSurgeRequest request;
    request.set_market("city");
    request.set_term(term);
    trip::v1::ReportSurgeResponse response;
    const grpc::Status status = stub->ReportSurge(&context, request, &response);
    marked_as_stale = context.GetServerTrailingMetadata().contains(rpc::kStaleTermKey);
    return status;
  }
  /// Reports a trip's progress, like a dispatch process that holds the lease in `term`.
  grpc::Status ReportProgress(const std::string& trip, std::uint64_t term, bool& marked_as_stale) {
    const auto stub =
        TripService::NewStub(ConnectAs("dispatch", system_->authority(), "trip", system_->trip()));
    grpc::ClientContext context;
    rpc::SetTimeout(context, std::chrono::seconds(30));
    trip::v1::ReportProgressResponse response;
    const auto stream = stub->ReportProgress(&context, &response);
    trip::v1::ReportProgressRequest request;
    trip::v1::TripProgress& entry = *request.add_trips();
    entry.set_trip_id(trip);
    entry.set_market("city");
    entry.set_term(term);
    stream->Write(request);
    stream->WritesDone();
    const grpc::Status status = stream->Finish();
    marked_as_stale = context.GetServerTrailingMetadata().contains(rpc::kStaleTermKey);
    return status;
  }
  /// Waits for the offer of that trip; declines others.
  static Offer WaitForOfferOf(TestDriver& driver, const std::string& trip) {
    Offer offer = driver.WaitForOffer();
    while (!offer.offer_id().empty() && offer.trip_id() != trip) {
      driver.Answer(offer, false);
      offer = driver.WaitForOffer();
    }
    return offer;
  }
  static void RideToTheEnd(TestDriver& driver, const std::string& trip) {
    for (const auto action :
         {STOP_ACTION_ARRIVED, STOP_ACTION_PICKED_UP, STOP_ACTION_DROPPED_OFF}) {
      driver.Do(trip, action);
      driver.WaitForPlan(PLAN_CAUSE_STOP_DONE);
    }
  }
  static void Print(const char* what, std::chrono::steady_clock::time_point since) {
    const auto time = std::chrono::duration<double>(std::chrono::steady_clock::now() - since);
    std::printf("%s: %.2f s\n", what, time.count());
  }

  testing::TempFolder folder_;
  const std::unique_ptr<roads::Streets> streets_ = *roads::Streets::Load("city:1");
  LatLng from_, to_, far_;
  std::unique_ptr<process::LocalServices> system_;
  std::unique_ptr<process::ChildProcess> standby_;
  std::string standby_address_;
};

TEST_F(LeaseTest, StandbyRefusesDriversAndNamesTheHolder) {
  const grpc::Status status = SendHelloToStandby("d-1");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION) << status.error_message();
  EXPECT_THAT(status.error_message(), HasSubstr("is served at " + system_->dispatch()));
}

TEST_F(LeaseTest, DriversFindTheStandbyWhenTheHolderIsKilledUnderLoad) {
  const RestlessRiders load(system_->trip(), far_, to_);
  TestDriver driver(both(), "d-1", OffsetBy(from_, 100, 0));
  TestDriver other(both(), "d-2", OffsetBy(far_, 100, 0));
  TestRider rider(system_->trip(), "r-1");
  const std::string riding = rider.Request(rider.Quote(from_, to_), "first").trip_id();
  driver.Answer(WaitForOfferOf(driver, riding), true);
  rider.WaitFor(trip::v1::TRIP_STATE_ASSIGNED);

  system_->process("dispatch").Signal(SIGKILL);
  const auto killed_at = std::chrono::steady_clock::now();
  TestRider late(system_->trip(), "r-2");
  const std::string asked = late.Request(late.Quote(far_, to_), "first").trip_id();
  other.Connect();
  EXPECT_EQ(WaitForOfferOf(other, asked).trip_id(), asked);
  Print("from the kill until a driver has an offer again", killed_at);

  // The plan of the driver under way survives.
  EXPECT_EQ(driver.Connect().snapshot().plan().stops_size(), 2);
  RideToTheEnd(driver, riding);
  EXPECT_EQ(rider.WaitFor(trip::v1::TRIP_STATE_COMPLETED).driver().driver_id(), "d-1");
}

TEST_F(LeaseTest, HolderThatWasStoppedChangesNothingWhenItGoesOn) {
  auto load = std::make_unique<RestlessRiders>(system_->trip(), far_, to_);
  TestDriver driver(system_->dispatch(), "d-1", OffsetBy(from_, 100, 0));
  TestRider rider(system_->trip(), "r-1");
  const std::string id = rider.Request(rider.Quote(from_, to_), "first").trip_id();
  const Offer offer = WaitForOfferOf(driver, id);
  const process::ChildProcess& zombie = system_->process("dispatch");
  zombie.Signal(SIGSTOP);
  const auto stopped_at = std::chrono::steady_clock::now();
  TestDriver other(both(), "d-2", OffsetBy(from_, 100, 0));
  const Offer again = WaitForOfferOf(other, id);
  Print("from the stop until a driver has the offer", stopped_at);
  other.Answer(again, true);
  EXPECT_EQ(rider.WaitFor(trip::v1::TRIP_STATE_ASSIGNED).driver().driver_id(), "d-2");

  // The paused process reads this as soon as it continues.
  driver.Answer(offer, true);
  zombie.Signal(SIGCONT);
  const Goodbye goodbye = driver.WaitForGoodbye();
  EXPECT_EQ(goodbye.reason(), GOODBYE_REASON_MARKET_MOVED);
  EXPECT_EQ(goodbye.address(), standby_address_);
  bool is_stale = false;
  const grpc::Status refused = Assign(id, "d-1", 1, is_stale);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(refused.error_message(), HasSubstr("term 1 of market 'city' is over"));
  EXPECT_TRUE(is_stale);
  for (const std::uint64_t term : {1, 2}) {
    for (const grpc::Status& status :
         {ReportSurge(term, is_stale), ReportProgress(id, term, is_stale)}) {
      EXPECT_EQ(status.error_code(),
                term == 1 ? grpc::StatusCode::FAILED_PRECONDITION : grpc::StatusCode::OK)
          << status.error_message();
    }
    EXPECT_EQ(is_stale, term == 1);
  }
  RideToTheEnd(other, id);
  EXPECT_EQ(rider.WaitFor(trip::v1::TRIP_STATE_COMPLETED).driver().driver_id(), "d-2");
  // The paused process ends, so that its supervisor starts it as a standby.
  while (!zombie.HasEnded()) std::this_thread::yield();
  load.reset();
  EXPECT_THAT(system_->Stop(),
              StatusIs(absl::StatusCode::kInternal, "dispatch exited with status 1"));
}

TEST_F(LeaseTest, DrainGivesTheLeaseUp) {
  TestDriver driver(both(), "d-1", OffsetBy(from_, 100, 0));
  const auto asked_at = std::chrono::steady_clock::now();
  system_->process("dispatch").Signal(SIGTERM);
  EXPECT_EQ(driver.WaitForGoodbye().reason(), GOODBYE_REASON_DRAINING);
  driver.Connect();
  Print("from SIGTERM until the standby has the driver", asked_at);
  TestRider rider(system_->trip(), "r-1");
  const auto trip = rider.Request(rider.Quote(from_, to_), "first");
  EXPECT_EQ(driver.WaitForOffer().trip_id(), trip.trip_id());
}

}  // namespace
}  // namespace ridestream::e2e
