#include "services/location/handlers/convert.h"

#include <fmt/format.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include "libs/testing/status_matchers.h"

namespace ridestream::location {
namespace {

using ridestream::testing::IsOk;
using ridestream::testing::StatusIs;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

template <class Message>
Message Parse(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

struct Case {
  // The error, in the words of the response.
  std::string text;
  // The start of the error.
  std::string error;
};

TEST(ToQueriesTest, AFieldThatIsWrongIsNamed) {
  const std::string market = "market: 'm' ";
  const std::string good = "queries { center { lat_e7: 1 lng_e7: 1 } radius_m: 500 limit: 10 } ";
  ASSERT_THAT(ToQueries(Parse<v1::FindNearestRequest>(market + good)), IsOk());
  std::string too_many;
  for (int i = 0; i < 1001; ++i) too_many += good;
  const std::string center = "center { } ";
  const Case cases[] = {
      {good, "market: must be"},
      {"market: 'a b' " + good, "market: must be"},
      {market, "queries: 1 to 1000 in a call, has 0"},
      {market + too_many, "queries: 1 to 1000 in a call, has 1001"},
      {market + good + "queries { radius_m: 5 limit: 5 }", "queries[1].center: is missing"},
      {market + "queries { center { lat_e7: 900000001 } radius_m: 5 limit: 5 }",
       "queries[0].center.lat_e7: must be in -900000000 to 900000000, is 900000001"},
      {market + "queries { center { lng_e7: -1800000001 } radius_m: 5 limit: 5 }",
       "queries[0].center.lng_e7: must be in"},
      {market + "queries { center { lat_e7: -2147483648 } radius_m: 5 limit: 5 }",
       "queries[0].center.lat_e7: must be in"},
      {market + "queries { center { } limit: 5 }",
       "queries[0].radius_m: must be in 1 to 50000, is 0"},
      {market + "queries { center { } radius_m: 50001 limit: 5 }",
       "queries[0].radius_m: must be in 1 to 50000, is 50001"},
      {market + "queries { center { } radius_m: 5 }", "queries[0].limit: must be in 1 to 1000"},
      {market + "queries { center { } radius_m: 5 limit: 1001 }", "queries[0].limit: must be in"},
      {market + "queries { center { } radius_m: 5 limit: 5 states: [1, 0] }",
       "queries[0].states[1]: 0 is not a state"},
      {market + "queries { center { } radius_m: 5 limit: 5 states: 6 }",
       "queries[0].states[0]: 6 is not a state"},
  };
  for (const Case& c : cases) {
    EXPECT_THAT(ToQueries(Parse<v1::FindNearestRequest>(c.text)), StatusIs(kInvalid, c.error));
  }
}

TEST(ToQueriesTest, TheLargestAndTheSmallestAreAllowed) {
  const auto queries = ToQueries(Parse<v1::FindNearestRequest>(
      "market: 'm' "
      "queries { center { lat_e7: 900000000 lng_e7: 1800000000 } radius_m: 50000 limit: 1000 } "
      "queries { center { lat_e7: -900000000 lng_e7: -1800000000 } radius_m: 1 limit: 1 "
      "          min_free_seats: 3 states: [1, 4] }"));
  ASSERT_THAT(queries, IsOk());
  ASSERT_EQ(queries->size(), 2u);
  EXPECT_TRUE((*queries)[0].states.Has(DriverState::kOffered));
  EXPECT_EQ((*queries)[1].min_free_seats, 3u);
  EXPECT_TRUE((*queries)[1].states.Has(DriverState::kOccupied));
  EXPECT_FALSE((*queries)[1].states.Has(DriverState::kOffered));
}

TEST(ToWatchedAreaTest, AFieldThatIsWrongIsNamed) {
  const std::string market = "market: 'm' ";
  const std::string south_west = "south_west { lat_e7: 10 lng_e7: 10 } ";
  const std::string north_east = "north_east { lat_e7: 20 lng_e7: 20 } ";
  ASSERT_THAT(ToWatchedArea(Parse<v1::WatchAreaRequest>(market + south_west + north_east)), IsOk());
  const Case cases[] = {
      {south_west + north_east, "market: must be"},
      {market + north_east, "south_west: is missing"},
      {market + south_west, "north_east: is missing"},
      {market + "south_west { lat_e7: -900000001 } " + north_east, "south_west.lat_e7: must be in"},
      {market + south_west + "north_east { lng_e7: 1800000001 }", "north_east.lng_e7: must be in"},
      {market + "south_west { lat_e7: 21 } " + north_east,
       "south_west.lat_e7: 21 lies north of north_east.lat_e7, 20"},
      {market + south_west + "north_east { lat_e7: 10 lng_e7: 20 }", "north_east: the area from"},
      {market + south_west + "north_east { lat_e7: 20 lng_e7: 10 }", "north_east: the area from"},
      {market + south_west + north_east + "interval_ms: 99",
       "interval_ms: must be in 100 to 10000, is 99"},
      {market + south_west + north_east + "interval_ms: 10001", "interval_ms: must be in"},
  };
  for (const Case& c : cases) {
    EXPECT_THAT(ToWatchedArea(Parse<v1::WatchAreaRequest>(c.text)), StatusIs(kInvalid, c.error));
  }
}

TEST(ToWatchedAreaTest, TheServiceChoosesThePaceWhenNoneIsAskedFor) {
  const std::string area =
      "market: 'm' south_west { lng_e7: 1790000000 } north_east { lat_e7: 1 lng_e7: -1790000000 } ";
  EXPECT_EQ(ToWatchedArea(Parse<v1::WatchAreaRequest>(area))->interval.count(), 500);
  EXPECT_EQ(ToWatchedArea(Parse<v1::WatchAreaRequest>(area + "interval_ms: 100"))->interval.count(),
            100);
}

TEST(ToReportsTest, AMalformedBatchIsNamed) {
  std::vector<PositionReport> reports;
  v1::ReportPositionsRequest batch;
  EXPECT_THAT(ToReports(batch, reports), StatusIs(kInvalid, "market: must be"));
  batch.set_market("m");
  EXPECT_THAT(ToReports(batch, reports), IsOk()) << "an empty batch is harmless";
  for (int i = 0; i < 4096; ++i) batch.add_positions();
  EXPECT_THAT(ToReports(batch, reports), IsOk());
  EXPECT_EQ(reports.size(), 4096u);
  batch.add_positions();
  EXPECT_THAT(ToReports(batch, reports),
              StatusIs(kInvalid, "positions: at most 4096 in a batch, has 4097"));
}

TEST(ToReportsTest, APositionIsAsOldAsItsSendersClockSays) {
  struct Aged {
    const char* sent_at_us;
    const char* received_at_us;
    Duration age;
  };
  for (const Aged& c : {
           Aged{"1000000", "1000000", Duration(0)},
           Aged{"5000000", "1000000", Duration(4'000'000)},
           Aged{"1000000", "5000000", Duration(0)},
           Aged{"0", "1700000000000000", Duration(0)},
           Aged{"0", "0", Duration(0)},
           Aged{"18446744073709551615", "18446744073709551615", Duration(0)},
           Aged{"18446744073709551615", "0", std::chrono::hours(24 * 365)},
           Aged{"0", "18446744073709551615", Duration(0)},
       }) {
    const auto batch = Parse<v1::ReportPositionsRequest>(
        fmt::format("market: 'm' sent_at_us: {} positions {{ received_at_us: {} }}", c.sent_at_us,
                    c.received_at_us));
    std::vector<PositionReport> reports;
    ASSERT_THAT(ToReports(batch, reports), IsOk());
    EXPECT_EQ(reports.at(0).age, c.age) << batch.ShortDebugString();
  }
}

TEST(ToReportsTest, MapsValuesOutsideTheDomainToOnesThatTheIndexRejects) {
  const auto batch = Parse<v1::ReportPositionsRequest>(
      "market: 'm' "
      "positions { driver_id: 'a' state: 99 } "
      "positions { driver_id: 'a' state: 257 } "
      "positions { driver_id: 'a' } ");
  std::vector<PositionReport> reports;
  ASSERT_THAT(ToReports(batch, reports), IsOk());
  MarketIndex index({});
  EXPECT_EQ(index.Apply(reports, ScaledClock::kAnchor), ApplyCounts{.rejected = 3});
}

}  // namespace
}  // namespace ridestream::location
