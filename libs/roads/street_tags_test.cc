#include "libs/roads/street_tags.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace ridestream::roads {
namespace {

using TagList = std::vector<std::pair<std::string_view, std::string_view>>;

struct Case {
  TagList tags;
  double forward_kmh;  // both 0: not drivable
  double backward_kmh;
};

std::string DescribeTags(const TagList& tags) {
  std::string text;
  for (const auto& [key, value] : tags) text.append(key).append("=").append(value).append(" ");
  return text;
}

std::optional<StreetTraits> Read(const TagList& list) {
  Tags tags;
  for (const auto& [key, value] : list) tags.Add(key, value);
  return ReadStreetTags(tags);
}

void ExpectAll(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    const auto traits = Read(c.tags);
    EXPECT_EQ(traits.has_value(), c.forward_kmh > 0 || c.backward_kmh > 0) << DescribeTags(c.tags);
    EXPECT_DOUBLE_EQ(traits ? traits->forward_kmh : 0, c.forward_kmh) << DescribeTags(c.tags);
    EXPECT_DOUBLE_EQ(traits ? traits->backward_kmh : 0, c.backward_kmh) << DescribeTags(c.tags);
  }
}

TEST(StreetTagsTest, ClassDecidesWhatIsDrivableAndHowFast) {
  ExpectAll({
      {{{"highway", "motorway"}}, 100, 0},
      {{{"highway", "motorway_link"}}, 50, 50},
      {{{"highway", "trunk"}}, 80, 80},
      {{{"highway", "primary"}}, 50, 50},
      {{{"highway", "secondary_link"}}, 35, 35},
      {{{"highway", "tertiary"}}, 40, 40},
      {{{"highway", "unclassified"}}, 35, 35},
      {{{"highway", "unclassified;tertiary"}}, 35, 35},
      {{{"highway", "road"}}, 30, 30},
      {{{"highway", "residential"}}, 30, 30},
      {{{"highway", "living_street"}}, 10, 10},
      {{{"highway", "service"}}, 15, 15},
      {{{"highway", "service"}, {"service", "alley"}}, 15, 15},
      {{{"highway", "service"}, {"service", "driveway"}}, 0, 0},
      {{{"highway", "service"}, {"service", "parking_aisle"}}, 0, 0},
      {{{"highway", "residential"}, {"area", "yes"}}, 0, 0},
      {{{"highway", "residential"}, {"area", "no"}}, 30, 30},
      {{{"highway", "track"}}, 0, 0},
      {{{"highway", "footway"}}, 0, 0},
      {{{"highway", "pedestrian"}}, 0, 0},
      {{{"highway", "construction"}}, 0, 0},
      {{{"highway", "proposed"}}, 0, 0},
      {{{"railway", "tram"}}, 0, 0},
      {{}, 0, 0},
  });
}

TEST(StreetTagsTest, DirectionOfTravel) {
  ExpectAll({
      {{{"highway", "residential"}, {"oneway", "yes"}}, 30, 0},
      {{{"highway", "residential"}, {"oneway", "true"}}, 30, 0},
      {{{"highway", "residential"}, {"oneway", "1"}}, 30, 0},
      {{{"highway", "residential"}, {"oneway", "-1"}}, 0, 30},
      {{{"highway", "residential"}, {"oneway", "reverse"}}, 0, 30},
      {{{"highway", "residential"}, {"oneway", "no"}}, 30, 30},
      {{{"highway", "residential"}, {"oneway", "reversible"}}, 0, 0},
      {{{"highway", "residential"}, {"oneway:bicycle", "yes"}}, 30, 30},
      {{{"highway", "motorway"}, {"oneway", "no"}}, 100, 100},
      {{{"highway", "motorway"}, {"oneway", "-1"}}, 0, 100},
      {{{"highway", "tertiary"}, {"junction", "roundabout"}}, 40, 0},
      {{{"highway", "tertiary"}, {"junction", "circular"}}, 40, 0},
      {{{"highway", "tertiary"}, {"junction", "roundabout"}, {"oneway", "-1"}}, 0, 40},
  });
}

TEST(StreetTagsTest, MostSpecificAccessDecides) {
  ExpectAll({
      {{{"highway", "residential"}, {"access", "no"}}, 0, 0},
      {{{"highway", "residential"}, {"access", "private"}}, 0, 0},
      {{{"highway", "residential"}, {"access", "bus"}}, 0, 0},
      {{{"highway", "residential"}, {"vehicle", "no"}}, 0, 0},
      {{{"highway", "residential"}, {"motor_vehicle", "private"}}, 0, 0},
      {{{"highway", "residential"}, {"motorcar", "no"}}, 0, 0},
      {{{"highway", "residential"}, {"access", "permissive"}}, 30, 30},
      {{{"highway", "residential"}, {"access", "destination"}}, 30, 30},
      {{{"highway", "residential"}, {"motor_vehicle", "customers"}}, 30, 30},
      {{{"highway", "residential"}, {"access", "no"}, {"motor_vehicle", "yes"}}, 30, 30},
      {{{"highway", "residential"}, {"access", "yes"}, {"motor_vehicle", "no"}}, 0, 0},
      {{{"highway", "residential"}, {"motor_vehicle", "no"}, {"motorcar", "yes"}}, 30, 30},
  });
}

TEST(StreetTagsTest, MaxspeedReplacesTheClass) {
  ExpectAll({
      {{{"highway", "residential"}, {"maxspeed", "36"}}, 36, 36},
      {{{"highway", "residential"}, {"maxspeed", "signals"}}, 30, 30},
      {{{"highway", "residential"}, {"maxspeed", "0"}}, 30, 30},
      {{{"highway", "residential"}, {"maxspeed:forward", "40"}}, 40, 30},
      {{{"highway", "primary"}, {"maxspeed", "60"}, {"maxspeed:backward", "70"}}, 60, 70},
      {{{"highway", "primary"}, {"oneway", "yes"}, {"maxspeed:backward", "70"}}, 50, 0},
  });
}

TEST(StreetTagsTest, SpeedsAreReadInEveryNotation) {
  const struct {
    std::string_view text;
    std::optional<double> kmh;
  } cases[] = {
      {"50", 50},
      {"27.5", 27.5},
      {"50 km/h", 50},
      {"50kmh", 50},
      {"25 mph", 25 * 1.609344},
      {"25mph", 25 * 1.609344},
      {"10 knots", 18.52},
      {" 50 ", 50},
      {"50; 40", 50},
      {"none", 130},
      {"walk", 5},
      {"PT:urban", 50},
      {"PT:rural", 90},
      {"PT:motorway", 120},
      {"DE:living_street", 10},
      {"DE:zone:30", 30},
      {"FR:zone30", 30},
      {"GB:nsl_single", 60 * 1.609344},
      {"PT:", std::nullopt},
      {"PT:nonsense", std::nullopt},
      {"signals", std::nullopt},
      {"", std::nullopt},
      {"0", std::nullopt},
      {"-50", std::nullopt},
      {"500", std::nullopt},
      {"nan", std::nullopt},
      {"50 parsecs", std::nullopt},
      {"mph", std::nullopt},
  };
  for (const auto& c : cases) EXPECT_EQ(ParseSpeedKmh(c.text), c.kmh) << '"' << c.text << '"';
}

TEST(StreetTagsTest, NameElseNumberElseNothing) {
  EXPECT_EQ(Read({{"highway", "primary"}, {"name", "Rua A"}, {"ref", "N 1"}})->name, "Rua A");
  EXPECT_EQ(Read({{"highway", "primary"}, {"ref", "N 1"}})->name, "N 1");
  EXPECT_EQ(Read({{"highway", "primary"}})->name, "");
}

}  // namespace
}  // namespace ridestream::roads
