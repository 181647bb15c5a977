#include "libs/service/flag_range.h"

#include <gtest/gtest.h>

#include <cstdint>

#include "libs/testing/status_matchers.h"

ABSL_FLAG(absl::Duration, test_pause, absl::Seconds(1), "For this test");
ABSL_FLAG(std::uint32_t, test_count, 5, "For this test");

namespace ridestream::service {
namespace {

using testing::IsOk;
using testing::StatusIs;

TEST(CheckRangeTest, BothEdgesAreIn) {
  EXPECT_THAT(CheckRange(FLAGS_test_pause, absl::Seconds(1), absl::Seconds(2)), IsOk());
  EXPECT_THAT(CheckRange(FLAGS_test_pause, absl::ZeroDuration(), absl::Seconds(1)), IsOk());
  EXPECT_THAT(CheckRange(FLAGS_test_count, 5, 5), IsOk());
}

TEST(CheckRangeTest, NamesTheFlagItsValueAndTheRange) {
  EXPECT_THAT(CheckRange(FLAGS_test_pause, absl::Seconds(2), absl::Hours(1)),
              StatusIs(absl::StatusCode::kInvalidArgument, "--test_pause=1s: must be in 2s to 1h"));
  EXPECT_THAT(CheckRange(FLAGS_test_count, 1, 4),
              StatusIs(absl::StatusCode::kInvalidArgument, "--test_count=5: must be in 1 to 4"));
}

}  // namespace
}  // namespace ridestream::service
