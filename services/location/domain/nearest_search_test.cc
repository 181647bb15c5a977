#include <fmt/format.h>
#include <gtest/gtest.h>
#include <s2/s2cell.h>
#include <s2/s2cell_id.h>
#include <s2/s2latlng.h>

#include <algorithm>
#include <random>

#include "services/location/domain/market_index.h"
#include "services/location/testing/position_reports.h"

namespace ridestream::location {
namespace {

using testing::IdsOf;
using testing::kStart;
using testing::ReportOf;

struct Driver {
  std::string id;
  LatLng place;
};

// The expected answer by brute force.
std::vector<std::string> ByBruteForce(const std::vector<Driver>& drivers,
                                      const NearestQuery& query) {
  const UnitVector center = ToUnitVector(query.center);
  std::vector<std::pair<double, std::string>> found;
  for (const Driver& driver : drivers) {
    const double chord_squared = ChordSquared(center, ToUnitVector(driver.place));
    if (chord_squared <= ChordSquaredFromM(query.radius_m)) {
      found.emplace_back(chord_squared, driver.id);
    }
  }
  std::sort(found.begin(), found.end());
  found.resize(std::min<size_t>(found.size(), query.limit));
  std::vector<std::string> ids;
  for (auto& [chord_squared, id] : found) ids.push_back(std::move(id));
  return ids;
}

LatLng Wrapped(LatLng place) {
  constexpr std::int64_t kCircle = 3'600'000'000;
  std::int64_t lng = place.lng_e7;
  if (lng > kCircle / 2) lng -= kCircle;
  if (lng < -kCircle / 2) lng += kCircle;
  return {std::clamp(place.lat_e7, -900'000'000, 900'000'000), static_cast<std::int32_t>(lng)};
}

struct Region {
  const char* name;
  double lat, lng;
  double height_deg, width_deg;
};

// S2's six faces meet at longitudes of 45 and 135 degrees, and at latitudes of 35 to 45.
constexpr Region kRegions[] = {
    {"Manhattan", 40.76, -73.97, 0.2, 0.1},
    {"antimeridian", -17.0, 180, 0.2, 0.2},
    {"edge of two faces on the equator", 0, 45, 0.1, 0.1},
    {"edge of a polar face near Bordeaux", 44.99, -0.57, 0.3, 0.3},
    {"corner of three faces", 35.2644, 45, 0.2, 0.2},
    {"north pole", 89.95, 0, 0.1, 360},
    {"south pole", -89.99, 0, 0.02, 360},
    {"sparse, the size of a country", 47, 8, 5, 5},
    {"the earth", 0, 0, 180, 360},
};

class NearestSearchTest : public ::testing::TestWithParam<Region> {
 protected:
  LatLng RandomPlace() {
    const Region& region = GetParam();
    std::uniform_real_distribution<double> unit(-0.5, 0.5);
    const double lat = std::clamp(region.lat + unit(random_) * region.height_deg, -90.0, 90.0);
    double lng = region.lng + unit(random_) * region.width_deg;
    if (lng > 180) lng -= 360;
    if (lng < -180) lng += 360;
    return LatLng::FromDegrees(lat, lng);
  }

  // Some drivers share a place, some are on the edges and corners of cells.
  std::vector<Driver> RandomDrivers(int count, int level) {
    std::vector<Driver> drivers;
    for (int i = 0; i < count; ++i) {
      LatLng place = RandomPlace();
      if (i % 5 == 1) place = drivers[random_() % drivers.size()].place;
      if (i % 5 == 2) {
        const S2Cell cell(S2CellId(S2LatLng::FromE7(place.lat_e7, place.lng_e7)).parent(level));
        const S2LatLng corner(cell.GetVertex(i % 4));
        place = Wrapped({corner.lat().e7(), corner.lng().e7()});
      }
      drivers.push_back({fmt::format("d-{}", random_() % 1'000'000'000), place});
    }
    return drivers;
  }

  std::mt19937_64 random_{20260101};
};

TEST_P(NearestSearchTest, EqualsBruteForce) {
  size_t found = 0;
  for (const int level : {11, 13, 15, 17}) {
    MarketIndex index({.cell_level = level});
    const std::vector<Driver> drivers = RandomDrivers(700, level);
    for (const Driver& driver : drivers) {
      ASSERT_EQ(index.Apply({{ReportOf(driver.id, driver.place)}}, kStart).applied, 1u);
    }
    for (int i = 0; i < 300; ++i) {
      NearestQuery query;
      query.center = i % 3 == 0 ? drivers[random_() % drivers.size()].place : RandomPlace();
      constexpr double kRadii[] = {1, 150, 2'000, 50'000, 700'000, 30'000'000};
      query.radius_m = kRadii[random_() % std::size(kRadii)];
      constexpr std::uint32_t kLimits[] = {1, 10, 100, 1'000};
      query.limit = kLimits[random_() % std::size(kLimits)];
      const NearbyDrivers answer = index.Nearest(query, kStart);
      ASSERT_EQ(IdsOf(answer), ByBruteForce(drivers, query))
          << "level " << level << " around " << query.center.ToString() << ", " << query.radius_m
          << " m, limit " << query.limit;
      for (const NearbyDriver& driver : answer) {
        // Near the antipode the haversine formula itself is only accurate to some metres.
        ASSERT_NEAR(driver.distance_m, DistanceM(query.center, driver.place),
                    driver.distance_m < 1e7 ? 0.01 : 10);
      }
      found += answer.size();
    }
  }
  EXPECT_GT(found, 1'000u);
}

INSTANTIATE_TEST_SUITE_P(Regions, NearestSearchTest, ::testing::ValuesIn(kRegions),
                         [](const auto& region) {
                           std::string name = region.param.name;
                           std::erase_if(name, [](char c) { return !std::isalpha(c); });
                           return name;
                         });

TEST(NearestOrderTest, EquallyFarDriversAreOrderedByTheirIds) {
  MarketIndex index({});
  const LatLng place = LatLng::FromDegrees(40.7, -74);
  index.Apply({{ReportOf("b", place), ReportOf("c", place), ReportOf("a", place)}}, kStart);
  EXPECT_EQ(IdsOf(index.Nearest({place, 10, 2}, kStart)), (std::vector<std::string>{"a", "b"}));
}

TEST(NearestFilterTest, OnlyDriversThatFitAreFound) {
  MarketIndex index({});
  const LatLng place = LatLng::FromDegrees(40.7, -74);
  const auto driver = [&](std::string_view id, DriverState state, std::uint32_t free_seats) {
    PositionReport report = ReportOf(id, place);
    report.state = state;
    report.free_seats = free_seats;
    return report;
  };
  index.Apply(
      {{driver("enroute-1", DriverState::kEnRoute, 1), driver("idle-0", DriverState::kIdle, 0),
        driver("idle-4", DriverState::kIdle, 4), driver("occupied-2", DriverState::kOccupied, 2),
        driver("offered-4", DriverState::kOffered, 4)}},
      kStart);
  struct Case {
    const char* name;
    std::vector<DriverState> states;
    std::uint32_t min_free_seats;
    std::vector<std::string> ids;
  };
  using enum DriverState;
  const Case cases[] = {
      {"all", {}, 0, {"enroute-1", "idle-0", "idle-4", "occupied-2", "offered-4"}},
      {"seats", {}, 2, {"idle-4", "occupied-2", "offered-4"}},
      {"state", {kIdle}, 0, {"idle-0", "idle-4"}},
      {"states", {kIdle, kEnRoute}, 0, {"enroute-1", "idle-0", "idle-4"}},
      {"state and seats", {kIdle}, 1, {"idle-4"}},
      {"more seats than any car", {}, 300, {}},
      {"offline drivers are nowhere", {kOffline}, 0, {}},
  };
  for (const Case& c : cases) {
    NearestQuery query{place, 10, 100, c.min_free_seats};
    if (!c.states.empty()) query.states = StateSet();
    for (const DriverState state : c.states) query.states.Add(state);
    EXPECT_EQ(IdsOf(index.Nearest(query, kStart)), c.ids) << c.name;
  }
}

TEST(NearestRadiusTest, TheRadiusIsIncluded) {
  MarketIndex index({});
  // 0.001 degrees of latitude are 111.195 m.
  index.Apply({{ReportOf("d", {10'000, 0})}}, kStart);
  EXPECT_EQ(index.Nearest({{0, 0}, 111.196, 1}, kStart).size(), 1u);
  EXPECT_EQ(index.Nearest({{0, 0}, 111.194, 1}, kStart).size(), 0u);
}

}  // namespace
}  // namespace ridestream::location
