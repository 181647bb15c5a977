#include "tests/replay/reduce.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "libs/base/clock.h"
#include "libs/testing/status_matchers.h"
#include "services/dispatch/domain/market/market.h"
#include "services/dispatch/record/record_codec.h"
#include "tests/replay/record_replay.h"

namespace ridestream::replay {
namespace {

using testing::IsOk;

constexpr std::uint64_t kManyCalls = 10'000;

bool Holds(const Subset& subset, const std::set<std::size_t>& needed) {
  return std::includes(subset.begin(), subset.end(), needed.begin(), needed.end());
}

TEST(MinimizeTest, FindsExactlyWhatIsNeeded) {
  for (const std::set<std::size_t>& needed :
       {std::set<std::size_t>{}, {0}, {99}, {17, 18}, {0, 50, 99}, {3, 31, 57, 58, 80}}) {
    const Subset shortest = Minimize(
        100, [&](const Subset& subset) { return Holds(subset, needed); }, kManyCalls);
    EXPECT_EQ(shortest, Subset(needed.begin(), needed.end()));
  }
}

// 0 can be left out only after 1.
TEST(MinimizeTest, TriesSingleItemsAgainAfterOthersAreGone) {
  const auto fails = [](const Subset& subset) { return !Holds(subset, {1}) || Holds(subset, {0}); };
  EXPECT_EQ(Minimize(2, fails, kManyCalls), Subset());
}

TEST(MinimizeTest, StopsAtTheLimitWithTheShortestSoFar) {
  int calls = 0;
  const Subset shortest = Minimize(
      64,
      [&](const Subset& subset) {
        ++calls;
        return Holds(subset, {63});
      },
      /*max_calls=*/1);
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(shortest.size(), 32u);
}

TEST(ReduceTest, FindsNothingWhereNoInvariantIsBroken) {
  dispatch::record::Header header;
  header.set_market("city");
  *header.mutable_settings() = dispatch::Encode(dispatch::MarketConfig());
  dispatch::record::Entry entry;
  entry.mutable_event()->mutable_caught_up();
  const InvariantWatch watch;
  const auto reduction = Reduce(header, {entry, entry}, kManyCalls);
  ASSERT_THAT(reduction, IsOk());
  EXPECT_FALSE(reduction->has_value());
}

}  // namespace
}  // namespace ridestream::replay
