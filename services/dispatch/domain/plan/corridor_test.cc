// Cars that follow their routes and cars that leave them, on real streets and with realistic GPS
// noise: which cars get a new route.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "libs/roads/streets.h"
#include "services/dispatch/domain/plan/route_progress.h"

namespace ridestream::dispatch {
namespace {

constexpr double kReportSeconds = 4;
constexpr double kNoiseM = 10;
constexpr double kCorridorM = 40;

common::v1::Route ToProto(const roads::Route& route) {
  common::v1::Route proto;
  LatLng last;
  for (const LatLng point : route.points) {
    proto.add_lat_e7(point.lat_e7 - last.lat_e7);
    proto.add_lng_e7(point.lng_e7 - last.lng_e7);
    last = point;
  }
  for (const std::uint32_t ms : route.leg_ms) proto.add_piece_ms(ms);
  return proto;
}

/// Where a car is every 4 s that drives along the whole of it.
std::vector<LatLng> Drive(const roads::Route& route) {
  std::vector<LatLng> places;
  double next_ms = 0;
  for (std::size_t i = 0; i < route.leg_ms.size(); ++i) {
    for (; next_ms <= route.leg_ms[i]; next_ms += kReportSeconds * 1000) {
      places.push_back(
          Interpolate(route.points[i], route.points[i + 1], next_ms / route.leg_ms[i]));
    }
    next_ms -= route.leg_ms[i];
  }
  places.insert(places.end(), 5, route.points.back());  // waits for its rider
  return places;
}

/// A GPS's error. With a memory, as reflections have one, it changes slowly.
class Noise {
 public:
  Noise(double memory, std::mt19937_64& random) : memory_(memory), random_(random) {}
  LatLng On(LatLng place) {
    north_m_ = Next(north_m_);
    east_m_ = Next(east_m_);
    return OffsetBy(place, north_m_, east_m_);
  }

 private:
  double Next(double before_m) {
    return memory_ * before_m + std::sqrt(1 - memory_ * memory_) * normal_(random_);
  }
  const double memory_;
  std::mt19937_64& random_;
  std::normal_distribution<double> normal_{0, kNoiseM};
  double north_m_ = normal_(random_);
  double east_m_ = normal_(random_);
};

double DistanceToM(const roads::Route& route, LatLng place) {
  double best_m = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i + 1 < route.points.size(); ++i) {
    const double length_m = DistanceM(route.points[i], route.points[i + 1]);
    const int parts = std::max(1, static_cast<int>(length_m / 8));
    for (int part = 0; part <= parts; ++part) {
      const double fraction = static_cast<double>(part) / parts;
      best_m = std::min(best_m, FastDistanceM(place, Interpolate(route.points[i],
                                                                 route.points[i + 1], fraction)));
    }
  }
  return best_m;
}

class CorridorTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    std::string spec = GetParam();
    if (!spec.starts_with("city:")) {
      const char* folder = std::getenv("RIDESTREAM_TEST_DATA");
      spec = std::filesystem::path(folder == nullptr ? "" : folder) / spec;
      if (!std::filesystem::exists(spec)) GTEST_SKIP() << spec << " isn't there";
    }
    auto streets = roads::Streets::Load(spec);
    ASSERT_TRUE(streets.ok()) << streets.status();
    streets_ = *std::move(streets);
  }

  roads::Route RandomRoute() {
    return streets_->router()
        .FindRoute(RandomPointOnStreet(streets_->graph(), random_),
                   RandomPointOnStreet(streets_->graph(), random_))
        .value();
  }

  std::unique_ptr<roads::Streets> streets_;
  std::mt19937_64 random_{1};
};

TEST_P(CorridorTest, NoiseReroutesLessThanOneTripInAHundred) {
  constexpr int kTrips = 1'000;
  for (const double memory : {0.0, 0.5}) {
    int rerouted = 0;
    for (int trip = 0; trip < kTrips; ++trip) {
      const roads::Route route = RandomRoute();
      RouteProgress progress(ToProto(route));
      Noise noise(memory, random_);
      bool left = false;
      for (const LatLng place : Drive(route)) {
        progress.MoveTo(noise.On(place));
        left = left || progress.has_left();
      }
      if (left) ++rerouted;
    }
    std::cout << fmt::format("{}: {} of {} trips rerouted by noise of {} m, memory {}\n",
                             GetParam(), rerouted, kTrips, kNoiseM, memory);
    EXPECT_LT(rerouted, kTrips / 100);
  }
}

TEST_P(CorridorTest, ADepartureIsNoticedAtTheSecondPositionBeyondTheCorridor) {
  int noticed = 0;
  for (int trip = 0; trip < 120; ++trip) {
    // The car drives to a place that is not on its route.
    const LatLng from = RandomPointOnStreet(streets_->graph(), random_);
    const roads::Route planned =
        streets_->router().FindRoute(from, RandomPointOnStreet(streets_->graph(), random_)).value();
    const roads::Route driven =
        streets_->router().FindRoute(from, RandomPointOnStreet(streets_->graph(), random_)).value();
    RouteProgress progress(ToProto(planned));
    int beyond = 0;
    for (const LatLng place : Drive(driven)) {
      progress.MoveTo(place);
      const double off_m = DistanceToM(planned, place);
      if (std::abs(off_m - kCorridorM) < 2) break;  // too near to the edge to judge
      beyond = off_m > kCorridorM ? beyond + 1 : 0;
      if (beyond >= 2) {
        EXPECT_TRUE(progress.has_left()) << "trip " << trip;
        ++noticed;
        break;
      }
    }
  }
  EXPECT_GT(noticed, 60);
}

INSTANTIATE_TEST_SUITE_P(Maps, CorridorTest, ::testing::Values("city:1", "osm/porto.osm.pbf"),
                         [](const auto& map) {
                           return std::string(map.param).starts_with("city") ? "city" : "porto";
                         });

}  // namespace
}  // namespace ridestream::dispatch
