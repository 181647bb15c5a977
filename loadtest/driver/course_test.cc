#include "loadtest/driver/course.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/testing/status_matchers.h"

namespace ridestream::loadtest {
namespace {

using ::ridestream::testing::IsOk;
using ::ridestream::testing::StatusIs;

constexpr LatLng kOrigin{400'000'000, -740'000'000};

LatLng At(double north_m, double east_m) { return OffsetBy(kOrigin, north_m, east_m); }

// 100 m east in 10 s, then 200 m north in 10 s.
Course Corner() { return Course({At(0, 0), At(0, 100), At(200, 100)}, {10'000, 10'000}); }

TEST(CourseTest, PlaceMovesAlongTheLegsAtTheirSpeeds) {
  const Course course = Corner();
  EXPECT_EQ(course.duration_ms(), 20'000);
  EXPECT_LT(DistanceM(course.PlaceAt(-5), At(0, 0)), 0.1);
  EXPECT_LT(DistanceM(course.PlaceAt(5'000), At(0, 50)), 0.1);
  EXPECT_LT(DistanceM(course.PlaceAt(10'000), At(0, 100)), 0.1);
  EXPECT_LT(DistanceM(course.PlaceAt(15'000), At(100, 100)), 0.1);
  EXPECT_LT(DistanceM(course.PlaceAt(99'000), At(200, 100)), 0.1);
}

TEST(CourseTest, MotionIsTheMotionOfTheLeg) {
  const Course course = Corner();
  EXPECT_EQ(course.MotionAt(1'000).heading_deg, 90u);
  EXPECT_EQ(course.MotionAt(1'000).speed_dm_per_s, 100u);
  EXPECT_EQ(course.MotionAt(11'000).heading_deg, 0u);
  EXPECT_EQ(course.MotionAt(11'000).speed_dm_per_s, 200u);
  EXPECT_EQ(course.MotionAt(20'000).speed_dm_per_s, 0u);
}

TEST(CourseTest, SinglePointDoesntMove) {
  const Course course({At(3, 3)}, {});
  EXPECT_EQ(course.duration_ms(), 0);
  EXPECT_EQ(course.PlaceAt(1'000), At(3, 3));
  EXPECT_EQ(course.MotionAt(0).speed_dm_per_s, 0u);
}

TEST(CourseTest, JoinedCourseStartsAtTheCarAndKeepsTheRest) {
  std::int64_t access_ms = 0;
  const Course joined = Corner().JoinedFrom(At(20, 50), 5'000, access_ms);
  EXPECT_NEAR(static_cast<double>(access_ms), 2'000, 10);
  EXPECT_EQ(joined.duration_ms(), access_ms + 15'000);
  EXPECT_EQ(joined.PlaceAt(0), At(20, 50));
  EXPECT_LT(DistanceM(joined.PlaceAt(access_ms), At(0, 50)), 0.1);
  EXPECT_LT(DistanceM(joined.PlaceAt(access_ms + 5'000), At(0, 100)), 0.1);
}

TEST(CourseTest, NearestPrefersTheExpectedTimeWhereItPassesTwice) {
  const Course there_and_back({At(0, 0), At(0, 100), At(0, 0)}, {10'000, 10'000});
  EXPECT_NEAR(static_cast<double>(there_and_back.Nearest(At(0, 30), 0, 20'000, 2'500)), 3'000, 60);
  EXPECT_NEAR(static_cast<double>(there_and_back.Nearest(At(0, 30), 0, 20'000, 18'000)), 17'000,
              60);
  EXPECT_EQ(there_and_back.Nearest(At(0, 30), 0, 1'000, 0), 1'000);
}

TEST(CourseTest, ReadsDifferencesFromTheProto) {
  common::v1::Route route;
  for (const int lat : {400'000'000, 5, -3}) route.add_lat_e7(lat);
  for (const int lng : {-740'000'000, 0, 7}) route.add_lng_e7(lng);
  route.add_piece_ms(1);
  route.add_piece_ms(2);
  const auto course = Course::FromProto(route);
  ASSERT_THAT(course, IsOk());
  EXPECT_EQ(course->PlaceAt(1), (LatLng{400'000'005, -740'000'000}));
  EXPECT_EQ(course->PlaceAt(3), (LatLng{400'000'002, -739'999'993}));
}

TEST(CourseTest, CrossesTheAntimeridian) {
  common::v1::Route route;
  for (const int lat : {-168'000'000, 0, 0}) route.add_lat_e7(lat);
  for (const int lng : {1'799'990'000, 20'000, 20'000}) route.add_lng_e7(lng);
  route.add_piece_ms(20'000);
  route.add_piece_ms(20'000);
  const auto course = Course::FromProto(route);
  ASSERT_THAT(course, IsOk());
  EXPECT_EQ(course->PlaceAt(15'000), (LatLng{-168'000'000, -1'799'995'000}));
  EXPECT_EQ(course->PlaceAt(40'000), (LatLng{-168'000'000, -1'799'970'000}));
  EXPECT_EQ(course->MotionAt(1'000).heading_deg, 90u);
  EXPECT_NEAR(course->MotionAt(1'000).speed_dm_per_s, 106, 1);
  EXPECT_EQ(course->Nearest({-168'000'000, -1'799'995'000}, 0, 40'000, 15'000), 15'000);
}

TEST(CourseTest, RefusesBrokenRoutes) {
  common::v1::Route route;
  EXPECT_THAT(Course::FromProto(route),
              StatusIs(absl::StatusCode::kInvalidArgument, "0 latitudes"));
  route.add_lat_e7(1);
  route.add_lng_e7(1);
  EXPECT_THAT(Course::FromProto(route), IsOk());
  route.add_piece_ms(1);
  EXPECT_THAT(Course::FromProto(route), StatusIs(absl::StatusCode::kInvalidArgument, "1 pieces"));
  route.add_lat_e7(900'000'000);
  route.add_lng_e7(0);
  EXPECT_THAT(Course::FromProto(route),
              StatusIs(absl::StatusCode::kInvalidArgument, "point 1 is not on the earth"));
}

}  // namespace
}  // namespace ridestream::loadtest
