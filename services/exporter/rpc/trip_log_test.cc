// The follower of the log against a trip service in this process.

#include "services/exporter/rpc/trip_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "libs/roads/streets.h"
#include "libs/rpc/channel.h"
#include "libs/testing/captured_log.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_folder.h"
#include "services/trip/trip_server.h"

namespace ridestream::exporter {
namespace {

using ::testing::HasSubstr;

class TripLogTest : public ::testing::Test {
 protected:
  /// Starts trip for "city"; `at` is host:port, port 0 for a free one.
  void StartTrip(const std::string& at) {
    trip::TripServer::Options options;
    options.server.address = at;
    options.security.insecure = true;
    options.store.folder = folder_.File("data");
    auto streets = roads::Streets::Load("city:1");
    ASSERT_THAT(streets, testing::IsOk());
    options.streets.emplace("city", *std::move(streets));
    auto server = trip::TripServer::Start(std::move(options));
    ASSERT_THAT(server, testing::IsOk());
    trip_ = *std::move(server);
    address_ = trip_->address();
    if (stub_ == nullptr) stub_ = trip::v1::TripService::NewStub(rpc::MakeChannel(address_));
  }
  std::unique_ptr<TripLog> Follow(const std::string& market) {
    auto log = std::make_unique<TripLog>(
        TripLog::Options{
            .markets = {market}, .address = address_, .on_change = [this] { ++changes_; }},
        *stub_, timers_, queue_);
    log->FollowAfter(0);
    return log;
  }
  void AwaitChanges(int changes) const {
    while (changes_ < changes) std::this_thread::yield();
  }
  void AwaitLine(const std::string& text) const {
    while (log_.text().find(text) == std::string::npos) std::this_thread::yield();
  }

  const testing::CapturedLog log_;
  const testing::TempFolder folder_;
  TimerQueue timers_;
  EventQueue queue_;
  std::atomic<int> changes_ = 0;
  std::string address_;
  std::unique_ptr<trip::TripServer> trip_;
  std::unique_ptr<trip::v1::TripService::Stub> stub_;
};

TEST_F(TripLogTest, FollowsTripAgainAfterAnOutage) {
  StartTrip("127.0.0.1:0");
  const auto log = Follow("city");
  AwaitChanges(1);
  EXPECT_TRUE(log->is_following());
  trip_.reset();
  AwaitChanges(2);
  EXPECT_FALSE(log->is_following());
  AwaitLine("check --trip=" + address_ + ", and whether trip is running");
  StartTrip(address_);
  AwaitChanges(3);
  EXPECT_TRUE(log->is_following());
  log->Stop();
  EXPECT_FALSE(log->is_following());
  EXPECT_EQ(changes_, 3);
}

TEST_F(TripLogTest, ReportsAMarketThatTripDoesNotServe) {
  StartTrip("127.0.0.1:0");
  const auto log = Follow("town");
  AwaitLine("give --markets only markets that trip at --trip=" + address_ + " serves");
  EXPECT_THAT(log_.text(), HasSubstr("market 'town' isn't served here, only city"));
  EXPECT_FALSE(log->is_following());
  EXPECT_THAT(queue_.failure(), testing::IsOk()) << "trip may serve the market later";
}

}  // namespace
}  // namespace ridestream::exporter
