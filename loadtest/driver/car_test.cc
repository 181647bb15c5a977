#include "loadtest/driver/car.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ridestream::loadtest {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::Gt;
using ::testing::Lt;

constexpr LatLng kFrom{400'000'000, -740'000'000};
const Time kSetOff{seconds(1'000)};

// A kilometre to the east, in 100 s by the map.
Course East() { return Course({kFrom, OffsetBy(kFrom, 0, 1'000)}, {100'000}); }

// How long the car takes if it is moved whenever it expects to halt.
Duration TimeToDrive(const Congestion& congestion) {
  Car car(kFrom, kSetOff, congestion);
  car.Drive(East(), kSetOff);
  Time now = kSetOff;
  while (!car.halted()) car.MoveTo(now = std::max(now + milliseconds(1), car.halts_at()));
  return now - kSetOff;
}

TEST(CarTest, DrivesAtTheMapsSpeed) {
  Car car(kFrom, kSetOff);
  car.Drive(East(), kSetOff);
  EXPECT_EQ(car.halts_at(), kSetOff + seconds(100));
  car.MoveTo(kSetOff + milliseconds(50'500));
  EXPECT_EQ(car.course_ms(), 50'500);
  EXPECT_EQ(car.motion().speed_dm_per_s, 100u);
  EXPECT_EQ(TimeToDrive({}), seconds(100));
}

TEST(CarTest, StopsWhereItIsHalted) {
  Car car(kFrom, kSetOff);
  car.Drive(East(), kSetOff);
  car.HaltAt(30'000);
  car.MoveTo(kSetOff + seconds(60));
  EXPECT_TRUE(car.halted());
  EXPECT_EQ(car.course_ms(), 30'000);
  EXPECT_EQ(car.motion().speed_dm_per_s, 0u);
  // Standing time isn't made up for.
  car.HaltAt(100'000);
  car.MoveTo(kSetOff + seconds(61));
  EXPECT_EQ(car.course_ms(), 31'000);
}

TEST(CarTest, IsSlowerWhereItIsCongested) {
  const Congestion everywhere{.peak = 2, .middle = kFrom, .radius_m = 1e6};
  Car car(kFrom, kSetOff, everywhere);
  car.Drive(East(), kSetOff);
  car.MoveTo(kSetOff + seconds(50));
  EXPECT_NEAR(static_cast<double>(car.course_ms()), 25'000, 10);
  EXPECT_EQ(car.motion().speed_dm_per_s, 50u);
  EXPECT_THAT(TimeToDrive(everywhere), AllOf(Gt(milliseconds(199'900)), Lt(milliseconds(200'100))));

  // Slow around the start only: the drive takes longer than by the map, but much less than twice as
  // long.
  EXPECT_THAT(TimeToDrive({.peak = 2, .middle = kFrom, .radius_m = 200}),
              AllOf(Gt(seconds(115)), Lt(seconds(135))));
}

// However often it is asked where it is.
TEST(CarTest, LosesNoTimeToRounding) {
  const Congestion congestion{.peak = 3, .middle = kFrom, .radius_m = 500};
  Car often(kFrom, kSetOff, congestion), seldom(kFrom, kSetOff, congestion);
  often.Drive(East(), kSetOff);
  seldom.Drive(East(), kSetOff);
  for (int ms = 7; ms <= 70'000; ms += 7) often.MoveTo(kSetOff + milliseconds(ms));
  seldom.MoveTo(kSetOff + seconds(70));
  EXPECT_NEAR(static_cast<double>(often.course_ms()), static_cast<double>(seldom.course_ms()), 300);
}

}  // namespace
}  // namespace ridestream::loadtest
