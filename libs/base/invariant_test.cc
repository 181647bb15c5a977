#include "libs/base/invariant.h"

#include <gtest/gtest.h>

#include <vector>

namespace ridestream {
namespace {

bool HoldsTwoAndTwo(int sum) { return RIDESTREAM_INVARIANT(sum == 4, "two and two are four"); }

TEST(InvariantTest, IsTrueWhileItHolds) {
  const std::uint64_t before = BrokenInvariants();
  EXPECT_TRUE(HoldsTwoAndTwo(4));
  EXPECT_EQ(BrokenInvariants(), before);
}

TEST(InvariantDeathTest, EndsTheProcessWithoutAHandler) {
  EXPECT_DEATH((void)HoldsTwoAndTwo(5),
               "invariant_test.cc:[0-9]+: broken invariant: two and two are four");
}

TEST(InvariantTest, IsFalseAndCountedWhereItIsHandled) {
  static std::vector<BrokenInvariant> handled;
  SetInvariantHandler([](const BrokenInvariant& broken) { handled.push_back(broken); });
  const std::uint64_t before = BrokenInvariants();
  EXPECT_FALSE(HoldsTwoAndTwo(5));
  EXPECT_FALSE(HoldsTwoAndTwo(3));
  EXPECT_FALSE(RIDESTREAM_INVARIANT(false, "another"));
  SetInvariantHandler(nullptr);
  EXPECT_EQ(BrokenInvariants(), before + 3);
  ASSERT_EQ(handled.size(), 3u);
  EXPECT_EQ(handled[1].name, "two and two are four");
  EXPECT_EQ(handled[1].times, 2u);
  EXPECT_EQ(handled[2].name, "another");
  EXPECT_EQ(handled[2].times, 1u) << "each place counts for itself";
  EXPECT_GT(handled[2].line, handled[1].line);
}

}  // namespace
}  // namespace ridestream
