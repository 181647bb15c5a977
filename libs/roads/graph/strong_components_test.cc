#include "libs/roads/graph/strong_components.h"

#include <gtest/gtest.h>

#include <random>
#include <utility>
#include <vector>

#include "libs/base/draw.h"

namespace ridestream::roads {
namespace {

using Arcs = std::vector<std::pair<std::uint32_t, std::uint32_t>>;

StrongComponents Find(std::uint32_t node_count, const Arcs& arcs) {
  std::vector<std::uint32_t> first_out(node_count + 1);
  std::vector<std::uint32_t> heads;
  for (std::uint32_t node = 0; node < node_count; ++node) {
    for (const auto& [from, to] : arcs) {
      if (from == node) heads.push_back(to);
    }
    first_out[node + 1] = static_cast<std::uint32_t>(heads.size());
  }
  return FindStrongComponents(first_out, heads);
}

TEST(StrongComponentsTest, TwoCyclesJoinedByOneArcAreTwo) {
  const StrongComponents found = Find(5, {{0, 1}, {1, 0}, {1, 2}, {2, 3}, {3, 4}, {4, 2}});
  EXPECT_EQ(found.size.size(), 2U);
  EXPECT_EQ(found.component[0], found.component[1]);
  EXPECT_EQ(found.component[2], found.component[4]);
  EXPECT_NE(found.component[0], found.component[2]);
  EXPECT_EQ(found.Largest(), found.component[3]);
  EXPECT_EQ(found.size[found.Largest()], 3U);
}

TEST(StrongComponentsTest, EqualsReachabilityBothWaysOnRandomGraphs) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    std::mt19937_64 random(seed);
    const auto n = static_cast<std::uint32_t>(DrawBetween(random, 1, 12));
    Arcs arcs;
    for (std::uint64_t i = DrawBelow(random, std::uint64_t{3} * n); i > 0; --i) {
      arcs.emplace_back(DrawBelow(random, n), DrawBelow(random, n));
    }
    std::vector<std::vector<bool>> reaches(n, std::vector<bool>(n));
    for (std::uint32_t i = 0; i < n; ++i) reaches[i][i] = true;
    for (const auto& [from, to] : arcs) reaches[from][to] = true;
    for (std::uint32_t k = 0; k < n; ++k) {
      for (std::uint32_t i = 0; i < n; ++i) {
        for (std::uint32_t j = 0; j < n; ++j) {
          if (reaches[i][k] && reaches[k][j]) reaches[i][j] = true;
        }
      }
    }
    const StrongComponents found = Find(n, arcs);
    for (std::uint32_t i = 0; i < n; ++i) {
      for (std::uint32_t j = 0; j < n; ++j) {
        ASSERT_EQ(found.component[i] == found.component[j], reaches[i][j] && reaches[j][i])
            << "seed " << seed << ", nodes " << i << " and " << j;
      }
    }
  }
}

TEST(StrongComponentsTest, APathOfAMillionNodesNeedsNoRecursion) {
  constexpr std::uint32_t kNodes = 1'000'000;
  std::vector<std::uint32_t> first_out(kNodes + 1);
  std::vector<std::uint32_t> heads;
  for (std::uint32_t node = 0; node < kNodes; ++node) {
    heads.push_back((node + 1) % kNodes);
    first_out[node + 1] = node + 1;
  }
  const StrongComponents found = FindStrongComponents(first_out, heads);
  ASSERT_EQ(found.size.size(), 1U);
  EXPECT_EQ(found.size[0], kNodes);
}

}  // namespace
}  // namespace ridestream::roads
