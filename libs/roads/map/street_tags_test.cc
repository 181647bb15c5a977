#include "libs/roads/map/street_tags.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "libs/roads/map/access_tags.h"
#include "libs/roads/map/tag_values.h"

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
  TagCounts counts;
  return ReadStreetTags(tags, counts);
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

TEST(StreetTagsTest, MostSpecificKeyForTheDirectionDecidesAccess) {
  const auto residential = [](TagList more) {
    more.emplace_back("highway", "residential");
    return more;
  };
  ExpectAll({
      {residential({{"motor_vehicle:backward", "no"}}), 30, 0},
      {residential({{"vehicle:forward", "no"}}), 0, 30},
      {residential({{"access:backward", "no"}}), 30, 0},
      {residential({{"motorcar:forward", "yes"}, {"motor_vehicle", "no"}}), 30, 0},
      {residential({{"motor_vehicle", "yes"}, {"vehicle:forward", "no"}}), 30, 30},
      {residential({{"motor_vehicle", "no"}, {"motor_vehicle:backward", "yes"}}), 0, 30},
      {residential({{"taxi", "no"}}), 30, 30},
  });
}

TEST(StreetTagsTest, MostSpecificKeyDecidesTheDirectionOfTravel) {
  ExpectAll({
      {{{"highway", "residential"}, {"oneway:motor_vehicle", "yes"}}, 30, 0},
      {{{"highway", "residential"}, {"oneway", "yes"}, {"oneway:motor_vehicle", "no"}}, 30, 30},
      {{{"highway", "residential"}, {"oneway", "yes"}, {"oneway:bicycle", "no"}}, 30, 0},
      {{{"highway", "residential"}, {"oneway", "no"}, {"oneway:motorcar", "-1"}}, 0, 30},
      {{{"highway", "residential"}, {"oneway", "Yes"}}, 30, 0},
      {{{"highway", "residential"}, {"oneway", "alternating"}}, 30, 30},
      {{{"highway", "residential"}, {"oneway", "perhaps"}}, 30, 30},
      {{{"highway", "motorway"}, {"oneway", "perhaps"}}, 100, 0},
  });
}

TEST(StreetTagsTest, ListOfAccessValuesIsOpenIfOneOfThemLetsCarsIn) {
  const struct {
    std::string_view list;
    bool open;
  } cases[] = {
      {"agricultural;forestry", false},
      {"forestry;agricultural", false},
      {"agricultural; forestry", false},
      {"private;agricultural", false},
      {"psv;emergency", false},
      {"permit;delivery", false},
      {"private;no", false},
      {"agricultural;yes", true},
      {"Private", false},
      {" no ", false},
      {"forestry;Destination", true},
      {"unheard_of", true},
      {"unheard_of;no", false},
      {";;", true},
  };
  for (const auto& c : cases) {
    const auto traits = Read({{"highway", "residential"}, {"motor_vehicle", c.list}});
    EXPECT_EQ(traits.has_value(), c.open) << c.list;
  }
}

TEST(StreetTagsTest, ValuesThatAreNotUnderstoodAreLeftToTheNextKeyAndCounted) {
  Tags tags;
  tags.Add("highway", "residential");
  tags.Add("motor_vehicle", "unheard_of");
  tags.Add("access", "no");
  tags.Add("maxspeed:conditional", "30 @ (22:00-06:00)");
  tags.Add("note:conditional", "whatever");
  TagCounts counts;
  EXPECT_FALSE(ReadStreetTags(tags, counts).has_value());
  EXPECT_EQ(counts.unknown_values, 2u);  // In each direction.
  EXPECT_EQ(counts.conditional, 1u);

  Tags strange;
  strange.Add("highway", "unheard_of");
  EXPECT_FALSE(ReadStreetTags(strange, counts).has_value());
  Tags path;
  path.Add("highway", "path");
  EXPECT_FALSE(ReadStreetTags(path, counts).has_value());
  EXPECT_EQ(counts.unknown_highways, 1u);
}

TEST(StreetTagsTest, StreetsForRidesThatBeginOrEndThereAreMarked) {
  for (const std::string_view key : {"access", "vehicle", "motor_vehicle"}) {
    const auto traits = Read({{"highway", "residential"}, {key, "destination"}});
    ASSERT_TRUE(traits.has_value()) << key;
    EXPECT_TRUE(traits->forward_is_destination_only && traits->backward_is_destination_only) << key;
  }
  EXPECT_TRUE(Read({{"highway", "service"}, {"access", "customers"}})->forward_is_destination_only);
  const auto one_side =
      Read({{"highway", "residential"}, {"motor_vehicle:backward", "destination"}});
  EXPECT_FALSE(one_side->forward_is_destination_only);
  EXPECT_TRUE(one_side->backward_is_destination_only);
  EXPECT_FALSE(Read({{"highway", "residential"}})->forward_is_destination_only);
}

TEST(StreetTagsTest, CarsMayNotStopOnMotorwaysMotorroadsAndInTunnels) {
  EXPECT_TRUE(Read({{"highway", "trunk"}})->may_stop);
  EXPECT_TRUE(Read({{"highway", "primary"}, {"tunnel", "no"}})->may_stop);
  EXPECT_TRUE(Read({{"highway", "service"}, {"tunnel", "building_passage"}})->may_stop);
  EXPECT_FALSE(Read({{"highway", "motorway"}})->may_stop);
  EXPECT_FALSE(Read({{"highway", "motorway_link"}})->may_stop);
  EXPECT_FALSE(Read({{"highway", "trunk"}, {"motorroad", "yes"}})->may_stop);
  EXPECT_FALSE(Read({{"highway", "primary"}, {"tunnel", "yes"}})->may_stop);
}

TEST(StreetTagsTest, FerriesAreDrivenIfATagAdmitsCars) {
  EXPECT_FALSE(Read({{"route", "ferry"}}));
  EXPECT_FALSE(Read({{"route", "ferry"}, {"access", "yes"}}));
  EXPECT_FALSE(Read({{"route", "ferry"}, {"motor_vehicle", "no"}, {"foot", "yes"}}));
  const auto ferry = Read({{"route", "ferry"}, {"motorcar", "yes"}, {"duration", "00:30"}});
  ASSERT_TRUE(ferry);
  EXPECT_GT(ferry->forward_kmh, 0);
  EXPECT_GT(ferry->backward_kmh, 0);
  EXPECT_EQ(ferry->crossing_s, 1'800);
  EXPECT_FALSE(ferry->may_stop);
  EXPECT_TRUE(Read({{"route", "ferry"}, {"ferry", "secondary"}}));
  EXPECT_TRUE(Read({{"route", "shuttle_train"}, {"motor_vehicle", "yes"}}));
}

TEST(StreetTagsTest, DurationsAreReadInEveryNotation) {
  const struct {
    std::string_view text;
    std::optional<double> seconds;
  } cases[] = {
      {"45", 2'700},          {"1:30", 5'400},        {"01:30:20", 5'420},  {"PT20M", 1'200},
      {"PT1H30M", 5'400},     {"pt90s", 90},          {"", std::nullopt},   {"0", std::nullopt},
      {"soon", std::nullopt}, {"1:", std::nullopt},   {"PT", std::nullopt}, {"P1D", std::nullopt},
      {"-5", std::nullopt},   {"9999", std::nullopt},
  };
  for (const auto& c : cases) EXPECT_EQ(ParseDurationSeconds(c.text), c.seconds) << c.text;
}

TEST(StreetTagsTest, BarriersAreClosedUnlessUsuallyOpenOrTaggedAsOpen) {
  const struct {
    TagList tags;
    bool open;
  } cases[] = {
      {{}, true},
      {{{"highway", "crossing"}}, true},
      {{{"access", "no"}}, true},  // No barrier: a place of interest, say.
      {{{"barrier", "bollard"}}, false},
      {{{"barrier", "block"}}, false},
      {{{"barrier", "unheard_of"}}, false},
      {{{"barrier", "bollard"}, {"bollard", "rising"}}, true},
      {{{"barrier", "bollard"}, {"motor_vehicle", "yes"}}, true},
      {{{"barrier", "gate"}}, true},
      {{{"barrier", "Lift_Gate"}}, true},
      {{{"barrier", "toll_booth"}}, true},
      {{{"barrier", "gate"}, {"access", "private"}}, false},
      {{{"barrier", "gate"}, {"motor_vehicle", "no"}}, false},
      {{{"barrier", "gate"}, {"access", "no"}, {"motorcar", "destination"}}, true},
  };
  for (const auto& c : cases) {
    Tags tags;
    for (const auto& [key, value] : c.tags) tags.Add(key, value);
    TagCounts counts;
    EXPECT_EQ(MayPassNode(tags, counts), c.open) << DescribeTags(c.tags);
  }
}

TEST(StreetTagsTest, NoLimitCountsOnMotorwaysAlone) {
  ExpectAll({
      {{{"highway", "living_street"}, {"maxspeed", "none"}}, 10, 10},
      {{{"highway", "residential"}, {"maxspeed", "none"}}, 30, 30},
      {{{"highway", "service"}, {"maxspeed", "None"}}, 15, 15},
      {{{"highway", "motorway"}, {"oneway", "no"}, {"maxspeed", "none"}}, 130, 130},
      {{{"highway", "residential"}, {"maxspeed:type", "DE:zone:20"}}, 20, 20},
      {{{"highway", "primary"}, {"source:maxspeed", "GR:Urban"}}, 50, 50},
      {{{"highway", "primary"}, {"maxspeed", "60"}, {"zone:traffic", "DE:urban"}}, 60, 60},
      {{{"highway", "primary"}, {"maxspeed:motorcar", "40"}, {"maxspeed", "60"}}, 40, 40},
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
      {"zone:20", 20},
      {"zone30", 30},
      {"urban", 50},
      {"GR:Urban", 50},
      {"DE:walk", 5},
      {"BE-VLG:rural", 90},
      {"20 MPH", 20 * 1.609344},
      {"50 Km/h", 50},
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

TEST(StreetTagsTest, NameFallsBackToTheReferenceNumber) {
  EXPECT_EQ(Read({{"highway", "primary"}, {"name", "Rua A"}, {"ref", "N 1"}})->name, "Rua A");
  EXPECT_EQ(Read({{"highway", "primary"}, {"ref", "N 1"}})->name, "N 1");
  EXPECT_EQ(Read({{"highway", "primary"}})->name, "");
}

}  // namespace
}  // namespace ridestream::roads
