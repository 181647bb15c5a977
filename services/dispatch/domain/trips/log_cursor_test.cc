#include "services/dispatch/domain/trips/log_cursor.h"

#include <gtest/gtest.h>

namespace ridestream::dispatch {
namespace {

trip::v1::FollowTripsRequest Next(const LogCursor& cursor) {
  trip::v1::FollowTripsRequest request;
  cursor.FillIn(request);
  return request;
}

TEST(LogCursorTest, BeginsWithTheOldestOpenTrip) { EXPECT_TRUE(Next({}).oldest_open()); }

TEST(LogCursorTest, ContinuesAfterTheLastProcessedEvent) {
  LogCursor cursor;
  cursor.Took(17);
  EXPECT_EQ(Next(cursor).after_sequence(), 17u);
  cursor.Took(20);  // Caught up: further events were of other markets.
  EXPECT_EQ(Next(cursor).after_sequence(), 20u);
}

TEST(LogCursorTest, RepeatedEventKeepsThePosition) {
  LogCursor cursor;
  cursor.Took(17);
  cursor.Took(16);
  EXPECT_EQ(Next(cursor).after_sequence(), 17u);
}

TEST(LogCursorTest, BrokenStreamKeepsThePosition) {
  LogCursor cursor;
  cursor.Took(17);
  cursor.OnEnd(absl::UnavailableError("gone"));
  EXPECT_EQ(Next(cursor).after_sequence(), 17u);
}

TEST(LogCursorTest, AnotherLogIsFollowedFromItsOldestOpenTrip) {
  LogCursor cursor;
  cursor.Took(17);
  cursor.OnEnd(absl::OutOfRangeError("the log ends at 3"));
  EXPECT_TRUE(Next(cursor).oldest_open());
}

}  // namespace
}  // namespace ridestream::dispatch
