#include "services/dispatch/runner/log_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace ridestream::dispatch {
namespace {

using ::testing::ElementsAre;

class LogReaderTest : public ::testing::Test, public EventSink {
 protected:
  bool Post(Event event) override {
    if (full_) return false;
    posted_.push_back(std::move(event));
    return true;
  }
  void PostAlways(Event) override { ADD_FAILURE() << "the log waits where the market is behind"; }

  bool TakeEntry(std::uint64_t sequence) {
    trip::v1::FollowTripsResponse message;
    message.mutable_event()->set_sequence(sequence);
    return reader_.Take(message);
  }
  bool TakeCaughtUp(std::uint64_t sequence) {
    trip::v1::FollowTripsResponse message;
    message.mutable_caught_up()->set_sequence(sequence);
    return reader_.Take(message);
  }

  bool full_ = false;
  std::vector<Event> posted_;
  std::vector<std::uint64_t> caught_up_;
  LogReader reader_{"city", *this,
                    [this](std::uint64_t sequence) { caught_up_.push_back(sequence); }};
};

TEST_F(LogReaderTest, StandbyReadsTheLogWithoutDeciding) {
  EXPECT_TRUE(TakeEntry(7));
  EXPECT_TRUE(TakeCaughtUp(9));
  EXPECT_EQ(posted_.size(), 1u);
  EXPECT_TRUE(caught_up_.empty());
  reader_.Lead();
  EXPECT_EQ(reader_.NextRequest().after_sequence(), 9u);
  EXPECT_TRUE(TakeCaughtUp(9));
  EXPECT_EQ(posted_.size(), 2u);
  EXPECT_THAT(caught_up_, ElementsAre(9));
}

TEST_F(LogReaderTest, StartsAtTheOldestOpenTripAndContinuesAfterTheLastEvent) {
  reader_.Lead();
  EXPECT_THAT(reader_.NextRequest().markets(), ElementsAre("city"));
  EXPECT_TRUE(reader_.NextRequest().oldest_open());
  EXPECT_TRUE(TakeEntry(7));
  EXPECT_TRUE(TakeCaughtUp(9));
  EXPECT_THAT(caught_up_, ElementsAre(9));
  reader_.OnEnd(absl::UnavailableError("trip is away"));
  EXPECT_FALSE(reader_.NextRequest().oldest_open());
  EXPECT_EQ(reader_.NextRequest().after_sequence(), 9u);
  ASSERT_EQ(posted_.size(), 2u);
  EXPECT_EQ(std::get<TripLogged>(posted_[0]).event.sequence(), 7u);
  EXPECT_TRUE(std::holds_alternative<LogCaughtUp>(posted_[1]));
}

TEST_F(LogReaderTest, ReadsAgainWhatTheMarketRefused) {
  reader_.Lead();
  EXPECT_TRUE(TakeEntry(7));
  full_ = true;
  EXPECT_FALSE(TakeEntry(8));
  EXPECT_FALSE(TakeCaughtUp(8));
  EXPECT_TRUE(caught_up_.empty());
  EXPECT_EQ(reader_.sequence(), 7u);
  EXPECT_EQ(reader_.NextRequest().after_sequence(), 7u);
}

TEST_F(LogReaderTest, AnotherLogIsReadFromItsOldestOpenTrip) {
  EXPECT_TRUE(TakeEntry(7));
  reader_.OnEnd(absl::OutOfRangeError("after_sequence is beyond the end of the log"));
  EXPECT_TRUE(reader_.NextRequest().oldest_open());
}

}  // namespace
}  // namespace ridestream::dispatch
