#include "services/dispatch/domain/trips/trip_book.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace ridestream::dispatch {
namespace {

trip::v1::Trip MakeTrip(const std::string& id, std::uint64_t version, trip::v1::TripState state) {
  trip::v1::Trip trip;
  trip.set_trip_id(id);
  trip.set_version(version);
  trip.set_state(state);
  return trip;
}

TEST(TripBookTest, OnlyNewerRecordsCount) {
  TripBook book;
  EXPECT_TRUE(book.Record(MakeTrip("t", 2, trip::v1::TRIP_STATE_ASSIGNED)));
  EXPECT_FALSE(book.Record(MakeTrip("t", 2, trip::v1::TRIP_STATE_ARRIVED)));
  EXPECT_FALSE(book.Record(MakeTrip("t", 1, trip::v1::TRIP_STATE_REQUESTED)));
  ASSERT_NE(book.Find(TripId("t")), nullptr);
  EXPECT_EQ(book.Find(TripId("t"))->trip.state(), trip::v1::TRIP_STATE_ASSIGNED);
  EXPECT_TRUE(book.Record(MakeTrip("t", 3, trip::v1::TRIP_STATE_ARRIVED)));
  EXPECT_EQ(book.Find(TripId("t"))->trip.state(), trip::v1::TRIP_STATE_ARRIVED);
}

TEST(TripBookTest, NewerRecordKeepsTheReportedPickUpTime) {
  TripBook book;
  book.Record(MakeTrip("t", 1, trip::v1::TRIP_STATE_REQUESTED));
  book.Find(TripId("t"))->picked_up_at = ScaledClock::kAnchor;
  book.Record(MakeTrip("t", 2, trip::v1::TRIP_STATE_REQUESTED));
  EXPECT_EQ(book.Find(TripId("t"))->picked_up_at, ScaledClock::kAnchor);
}

TEST(TripBookTest, AnEndedTripIsNotBroughtBackByALateRecord) {
  TripBook book;
  book.Record(MakeTrip("t", 2, trip::v1::TRIP_STATE_ASSIGNED));
  auto completed = MakeTrip("t", 5, trip::v1::TRIP_STATE_COMPLETED);
  completed.mutable_driver()->set_driver_id("d");
  EXPECT_TRUE(book.Record(completed));
  EXPECT_EQ(book.Find(TripId("t")), nullptr);
  EXPECT_FALSE(book.Record(MakeTrip("t", 4, trip::v1::TRIP_STATE_ABOARD)));
  EXPECT_FALSE(book.Record(completed));
  EXPECT_EQ(book.Find(TripId("t")), nullptr);
  ASSERT_NE(book.FindEnded(TripId("t")), nullptr);
  EXPECT_EQ(book.FindEnded(TripId("t"))->state, trip::v1::TRIP_STATE_COMPLETED);
  EXPECT_EQ(book.FindEnded(TripId("t"))->driver, DriverId("d"));
}

TEST(TripBookTest, RemembersABoundedNumberOfEndedTrips) {
  TripBook book;
  for (std::size_t i = 0; i <= TripBook::kEndedRemembered; ++i) {
    book.Record(MakeTrip(fmt::format("t-{}", i), 1, trip::v1::TRIP_STATE_CANCELLED));
  }
  EXPECT_EQ(book.FindEnded(TripId("t-0")), nullptr);
  EXPECT_NE(book.FindEnded(TripId("t-1")), nullptr);
}

TEST(TripBookTest, KnowsTheFinalStates) {
  for (const auto state : {trip::v1::TRIP_STATE_REQUESTED, trip::v1::TRIP_STATE_ASSIGNED,
                           trip::v1::TRIP_STATE_ARRIVED, trip::v1::TRIP_STATE_ABOARD}) {
    EXPECT_FALSE(IsEnded(state)) << trip::v1::TripState_Name(state);
  }
  for (const auto state : {trip::v1::TRIP_STATE_COMPLETED, trip::v1::TRIP_STATE_CANCELLED,
                           trip::v1::TRIP_STATE_UNSERVED}) {
    EXPECT_TRUE(IsEnded(state)) << trip::v1::TripState_Name(state);
  }
}

}  // namespace
}  // namespace ridestream::dispatch
