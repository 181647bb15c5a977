#include "services/dispatch/runner/speed_keeper.h"

#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "libs/testing/status_matchers.h"

namespace ridestream::dispatch {
namespace {

using ::ridestream::testing::IsOk;

TEST(SpeedKeeperTest, StreetTimesFollowTheSpeedsOfCars) {
  auto streets = roads::Streets::Load("city:1");
  ASSERT_THAT(streets, IsOk());
  const roads::RoadGraph& graph = (*streets)->graph();
  const roads::Edge& edge = graph.edge(0);
  StreetsDriven drive;
  drive.points = {{graph.position(edge.from), Duration(0)},
                  {graph.position(edge.to), std::chrono::milliseconds(3 * edge.duration_ms)}};
  ManualClock clock;
  const auto map = (*streets)->engine().metric();
  SpeedKeeper keeper(clock, std::chrono::minutes(5), **streets, "test");
  const int drives = 1'000;
  for (int i = 0; i < drives; ++i) keeper.Add(drive);
  while (keeper.pieces_learned() < drives) std::this_thread::yield();
  EXPECT_EQ(keeper.updates(), 0U);
  EXPECT_EQ((*streets)->engine().metric(), map);
  clock.Advance(std::chrono::minutes(5));
  while (keeper.updates() == 0) std::this_thread::yield();
  const auto learned = (*streets)->engine().metric();
  EXPECT_NEAR(learned->edge_ms()[0], 3.0 * edge.duration_ms, 0.15 * edge.duration_ms);
}

}  // namespace
}  // namespace ridestream::dispatch
