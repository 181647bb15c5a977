#include "libs/roads/learning/speed_learner.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <iostream>
#include <map>
#include <random>
#include <vector>

#include "libs/roads/streets.h"
#include "libs/roads/testing/test_map.h"
#include "libs/testing/status_matchers.h"

namespace ridestream::roads {
namespace {

using ::ridestream::testing::IsOk;
using std::chrono::hours;
using std::chrono::seconds;

/// Eight o'clock.
constexpr Time kMorning = ScaledClock::kAnchor + hours(8);

/// A street from west to east, with a bend at 100 and a crossing at 200; 10 m/s.
class SpeedLearnerTest : public ::testing::Test {
 protected:
  static RoadGraph MakeGraph() {
    TestMap map;
    const auto west = map.AddNode(0, 0), bend = map.AddNode(100, 0);
    const auto crossing = map.AddNode(200, 0), east = map.AddNode(300, 0);
    const auto north = map.AddNode(200, 100);
    map.AddStreet({west, bend, crossing, east});
    map.AddStreet({crossing, north});
    return map.Build().value();
  }

  bool Drive(double from_m, double to_m, Duration took, Time at = kMorning, int times = 1) {
    bool believed = true;
    for (int i = 0; i < times; ++i) {
      believed = learner_.Observe(TestMap::At(from_m, 0), TestMap::At(to_m, 0), took, at);
    }
    return believed;
  }

  /// Travel time in seconds of the street's part between these points.
  double SecondsOf(const std::vector<std::uint32_t>& edge_ms, double from_m, double to_m) const {
    for (EdgeIndex edge = 0; edge < graph_.edge_count(); ++edge) {
      if (graph_.position(graph_.edge(edge).from) == TestMap::At(from_m, 0) &&
          graph_.position(graph_.edge(edge).to) == TestMap::At(to_m, 0)) {
        return edge_ms[edge] / 1e3;
      }
    }
    ADD_FAILURE() << "no such street";
    return 0;
  }

  const RoadGraph graph_ = MakeGraph();
  SpeedLearner learner_{graph_};
};

TEST_F(SpeedLearnerTest, AStreetIsLearnedFromJunctionToJunctionInOneDirection) {
  EXPECT_EQ(learner_.street_count(), 6U);
  EXPECT_FALSE(learner_.Update(kMorning).has_value());
  EXPECT_TRUE(Drive(0, 100, seconds(20), kMorning, 60));
  const auto edge_ms = learner_.Update(kMorning);
  ASSERT_TRUE(edge_ms.has_value());
  EXPECT_NEAR(SecondsOf(*edge_ms, 0, 100), 20, 0.6);
  EXPECT_NEAR(SecondsOf(*edge_ms, 100, 200), 20, 0.6) << "the same street behind the bend";
  EXPECT_EQ(SecondsOf(*edge_ms, 100, 0), 10);
  EXPECT_EQ(SecondsOf(*edge_ms, 200, 300), 10);
  EXPECT_EQ(learner_.changed_streets(), 1U);
}

TEST_F(SpeedLearnerTest, ReportsAChangeOnce) {
  Drive(0, 100, seconds(20), kMorning, 60);
  EXPECT_TRUE(learner_.Update(kMorning).has_value());
  EXPECT_FALSE(learner_.Update(kMorning).has_value());
  Drive(0, 100, seconds(19), kMorning, 60);
  EXPECT_FALSE(learner_.Update(kMorning).has_value()) << "not noticeable";
  Drive(0, 100, seconds(10), kMorning, 200);
  EXPECT_TRUE(learner_.Update(kMorning).has_value()) << "fast again";
}

TEST_F(SpeedLearnerTest, OneSlowCarChangesLittle) {
  Drive(0, 100, seconds(20));
  const auto edge_ms = learner_.Update(kMorning);
  ASSERT_TRUE(edge_ms.has_value());
  EXPECT_NEAR(SecondsOf(*edge_ms, 0, 100), 12.5, 0.1);
}

TEST_F(SpeedLearnerTest, LearnedTimesCountInTheirHourOfEachDay) {
  Drive(0, 100, seconds(20), kMorning, 60);
  EXPECT_TRUE(learner_.Update(kMorning + std::chrono::minutes(59)).has_value());
  const auto later = learner_.Update(kMorning + hours(1));
  ASSERT_TRUE(later.has_value());
  EXPECT_EQ(SecondsOf(*later, 0, 100), 10);
  EXPECT_EQ(learner_.changed_streets(), 0U);
  const auto next_day = learner_.Update(kMorning + hours(24));
  ASSERT_TRUE(next_day.has_value());
  EXPECT_NEAR(SecondsOf(*next_day, 0, 100), 20, 0.6);
}

TEST_F(SpeedLearnerTest, IgnoresImpossibleSpeeds) {
  EXPECT_FALSE(Drive(0, 200, seconds(20))) << "no street leads there directly";
  EXPECT_FALSE(Drive(0, 50, seconds(5))) << "no point of the graph";
  EXPECT_FALSE(Drive(0, 100, seconds(2)));
  EXPECT_FALSE(Drive(0, 100, seconds(101)));
  EXPECT_FALSE(learner_.Update(kMorning).has_value());
}

// A city whose centre is slower than its map says.
class SlowCentre {
 public:
  explicit SlowCentre(const RoadGraph& graph) {
    const BoundingBox& bounds = graph.bounds();
    centre_ = Interpolate(bounds.south_west, bounds.north_east, 0.5);
    radius_m_ = DistanceM(bounds.south_west, bounds.north_east) / 4;
    for (EdgeIndex e = 0; e < graph.edge_count(); ++e) {
      const Edge& edge = graph.edge(e);
      by_map_[{graph.position(edge.from).lat_e7, graph.position(edge.from).lng_e7,
               graph.position(edge.to).lat_e7, graph.position(edge.to).lng_e7}] = edge.duration_ms;
    }
  }

  /// The true time of a piece of a route that is a whole edge; 0 otherwise.
  double TrueMs(LatLng from, LatLng to) const {
    const auto edge = by_map_.find({from.lat_e7, from.lng_e7, to.lat_e7, to.lng_e7});
    if (edge == by_map_.end()) return 0;
    const double away = DistanceM(Interpolate(from, to, 0.5), centre_) / radius_m_;
    return edge->second * (1 + 1.5 * std::exp(-away * away));
  }

 private:
  LatLng centre_;
  double radius_m_ = 0;
  std::map<std::array<std::int32_t, 4>, double> by_map_;
};

TEST(SpeedLearnerCityTest, DrivesBringTheTimesNearToTheTruth) {
  const auto streets = Streets::Load("city:1");
  ASSERT_THAT(streets, IsOk());
  const RoadGraph& graph = (*streets)->graph();
  const SlowCentre truth(graph);
  std::mt19937_64 random(1);
  SpeedLearner learner(graph);
  // Drives along whole edges, and returns the mean relative error of their expected time.
  const auto drive = [&](int drives, bool learn) {
    double off = 0;
    for (int i = 0; i < drives; ++i) {
      const auto route = (*streets)->router().FindRoute(RandomPointOnStreet(graph, random),
                                                        RandomPointOnStreet(graph, random));
      EXPECT_THAT(route, IsOk());
      double true_ms = 0, expected_ms = 0;
      for (std::size_t leg = 0; leg < route->leg_ms.size(); ++leg) {
        const LatLng from = route->points[leg], to = route->points[leg + 1];
        const double ms = truth.TrueMs(from, to);
        if (ms == 0) continue;
        true_ms += ms;
        expected_ms += route->leg_ms[leg];
        if (!learn) continue;
        const auto took =
            std::chrono::round<Duration>(std::chrono::duration<double, std::milli>(ms));
        EXPECT_TRUE(learner.Observe(from, to, took, kMorning));
      }
      if (true_ms > 0) off += std::abs(true_ms - expected_ms) / true_ms / drives;
    }
    return off;
  };
  const double before = drive(500, false);
  // What was learned makes drivers choose other streets, which must be learned next.
  for (int round = 0; round < 10; ++round) {
    drive(200, true);
    auto edge_ms = learner.Update(kMorning);
    ASSERT_TRUE(edge_ms.has_value());
    ASSERT_THAT((*streets)->engine().SetDurations(*std::move(edge_ms)), IsOk());
  }
  const double after = drive(500, false);
  std::cout << fmt::format(
      "times of {} streets are off by {:.1f} % before, {:.1f} % after 2,000 drives\n",
      learner.street_count(), 100 * before, 100 * after);
  EXPECT_LT(after, before / 2.5);
}

}  // namespace
}  // namespace ridestream::roads
