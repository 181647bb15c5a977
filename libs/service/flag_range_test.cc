#include "libs/service/flag_range.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

#include "libs/testing/status_matchers.h"

RIDESTREAM_RANGED_FLAG(absl::Duration, test_pause, absl::Seconds(1), "Pause", absl::Seconds(1),
                       absl::Hours(1));
RIDESTREAM_RANGED_FLAG(std::uint32_t, test_count, 5, "Count", 1, 64);
RIDESTREAM_RANGED_FLAG(double, test_share, 0.5, "Share", 0.1, 1);
RIDESTREAM_RANGED_FLAG(absl::Duration, test_period, absl::Minutes(5), "Period; 0: never",
                       absl::Seconds(1), absl::Hours(24), true);

namespace ridestream::service {
namespace {

using testing::IsOk;
using testing::StatusIs;

class FlagRangeTest : public ::testing::Test {
 protected:
  template <class T>
  static absl::Status CheckWith(absl::Flag<T>& flag, const std::type_identity_t<T>& value) {
    const T before = absl::GetFlag(flag);
    absl::SetFlag(&flag, value);
    absl::Status status = CheckFlagRanges();
    absl::SetFlag(&flag, before);
    return status;
  }
};

TEST_F(FlagRangeTest, DefaultsAndBothEndsAreWithin) {
  EXPECT_THAT(CheckFlagRanges(), IsOk());
  EXPECT_THAT(CheckWith(FLAGS_test_pause, absl::Hours(1)), IsOk());
  EXPECT_THAT(CheckWith(FLAGS_test_count, 1), IsOk());
  EXPECT_THAT(CheckWith(FLAGS_test_count, 64), IsOk());
  EXPECT_THAT(CheckWith(FLAGS_test_share, 0.1), IsOk());
  EXPECT_THAT(CheckWith(FLAGS_test_period, absl::ZeroDuration()), IsOk());
}

TEST_F(FlagRangeTest, ErrorNamesTheFlagItsValueAndTheRange) {
  const auto is = [](const char* message) {
    return StatusIs(absl::StatusCode::kInvalidArgument, message);
  };
  EXPECT_THAT(CheckWith(FLAGS_test_pause, absl::Milliseconds(999)),
              is("--test_pause=999ms: must be in 1s to 1h"));
  EXPECT_THAT(CheckWith(FLAGS_test_pause, absl::InfiniteDuration()),
              is("--test_pause=inf: must be in 1s to 1h"));
  EXPECT_THAT(CheckWith(FLAGS_test_count, 0), is("--test_count=0: must be in 1 to 64"));
  EXPECT_THAT(CheckWith(FLAGS_test_count, 65), is("--test_count=65: must be in 1 to 64"));
  EXPECT_THAT(CheckWith(FLAGS_test_share, 0.09), is("--test_share=0.09: must be in 0.1 to 1"));
  EXPECT_THAT(CheckWith(FLAGS_test_share, std::numeric_limits<double>::quiet_NaN()),
              is("--test_share=nan: must be in 0.1 to 1"));
  EXPECT_THAT(CheckWith(FLAGS_test_period, absl::Milliseconds(1)),
              is("--test_period=1ms: must be in 0 or 1s to 24h"));
}

TEST_F(FlagRangeTest, HelpEndsWithTheRange) {
  const auto help = [](const char* flag) { return absl::FindCommandLineFlag(flag)->Help(); };
  EXPECT_EQ(help("test_pause"), "Pause. Range: 1s to 1h");
  EXPECT_EQ(help("test_count"), "Count. Range: 1 to 64");
  EXPECT_EQ(help("test_share"), "Share. Range: 0.1 to 1");
  EXPECT_EQ(help("test_period"), "Period; 0: never. Range: 0 or 1s to 24h");
}

TEST_F(FlagRangeTest, AnotherFlagMayBeTheLowerBound) {
  EXPECT_THAT(CheckAtLeast(FLAGS_test_period, FLAGS_test_pause), IsOk());
  EXPECT_THAT(CheckAtLeast(FLAGS_test_pause, FLAGS_test_pause), IsOk());
  EXPECT_THAT(CheckAtLeast(FLAGS_test_pause, FLAGS_test_period),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "--test_pause=1s: must be at least --test_period=5m"));
}

}  // namespace
}  // namespace ridestream::service
