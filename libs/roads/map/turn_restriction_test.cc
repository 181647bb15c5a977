#include "libs/roads/map/turn_restriction.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace ridestream::roads {
namespace {

using Type = RelationMember::Type;
using RestrictionTags = std::vector<std::pair<std::string, std::string>>;

const std::vector<RelationMember> kMembers = {
    {Type::kWay, 1, "from"}, {Type::kNode, 2, "via"}, {Type::kWay, 3, "to"}};

/// Views of what `list` holds.
Tags TagsOf(const RestrictionTags& list) {
  Tags tags;
  for (const auto& [key, value] : list) tags.Add(key, value);
  return tags;
}
Tags TagsOf(RestrictionTags&& list) = delete;

struct ReadCase {
  RestrictionTags tags;
  bool read;
  RestrictionCounts counts;
};

TEST(TurnRestrictionTest, HoldsForCarsUnlessTagsExcludeThem) {
  const ReadCase cases[] = {
      {{{"type", "restriction"}, {"restriction", "no_left_turn"}}, true, {}},
      {{{"type", "restriction"}, {"restriction", "only_u_turn"}}, true, {}},
      {{{"type", "restriction"}, {"restriction:motorcar", "no_entry"}}, true, {}},
      {{{"type", "restriction"}, {"restriction", "no_exit"}, {"except", "psv; bicycle"}}, true, {}},
      {{{"type", "restriction"}, {"restriction", "no_exit"}, {"except", "psv; motorcar"}},
       false,
       {.not_for_cars = 1}},
      {{{"type", "restriction"}, {"restriction", "no_exit"}, {"except", "motor_vehicle"}},
       false,
       {.not_for_cars = 1}},
      {{{"type", "restriction"}, {"restriction:hgv", "no_left_turn"}}, false, {.not_for_cars = 1}},
      {{{"type", "restriction"}, {"restriction:conditional", "no_left_turn @ (07:00-09:00)"}},
       false,
       {.not_for_cars = 1}},
      {{{"type", "restriction"}, {"restriction", "no_left_turn"}, {"hour_on", "07:00"}},
       false,
       {.not_for_cars = 1}},
      {{{"type", "restriction"}, {"restriction", "no_parking"}}, false, {.unclear = 1}},
      {{{"type", "multipolygon"}, {"restriction", "no_left_turn"}}, false, {}},
  };
  for (const ReadCase& c : cases) {
    SCOPED_TRACE(c.tags.back().first + "=" + c.tags.back().second);
    RestrictionCounts counts;
    EXPECT_EQ(ReadTurnRestriction(kMembers, TagsOf(c.tags), counts).has_value(), c.read);
    EXPECT_EQ(counts, c.counts);
  }
}

TEST(TurnRestrictionTest, NeedsFromToAndOneWayToGetThere) {
  const std::vector<RelationMember> refused[] = {
      {{Type::kWay, 1, "from"}, {Type::kWay, 3, "to"}},
      {{Type::kNode, 2, "via"}, {Type::kWay, 3, "to"}},
      {{Type::kWay, 1, "from"}, {Type::kNode, 2, "via"}},
      {{Type::kNode, 1, "from"}, {Type::kNode, 2, "via"}, {Type::kWay, 3, "to"}},
      {{Type::kWay, 1, "from"}, {Type::kRelation, 2, "via"}, {Type::kWay, 3, "to"}},
      {{Type::kWay, 1, "from"},
       {Type::kNode, 2, "via"},
       {Type::kNode, 4, "via"},
       {Type::kWay, 3, "to"}},
      {{Type::kWay, 1, "from"},
       {Type::kNode, 2, "via"},
       {Type::kWay, 4, "via"},
       {Type::kWay, 3, "to"}},
  };
  const RestrictionTags list = {{"type", "restriction"}, {"restriction", "no_left_turn"}};
  const Tags tags = TagsOf(list);
  RestrictionCounts counts;
  for (const auto& members : refused) {
    EXPECT_EQ(ReadTurnRestriction(members, tags, counts), std::nullopt);
  }
  EXPECT_EQ(counts, (RestrictionCounts{.unclear = 7}));
}

TEST(TurnRestrictionTest, MembersAreTakenByTheirRoles) {
  const RestrictionTags list = {{"type", "restriction"}, {"restriction", "only_u_turn"}};
  const Tags tags = TagsOf(list);
  RestrictionCounts counts;
  const auto by_ways =
      ReadTurnRestriction(std::vector<RelationMember>{{Type::kWay, 3, "to"},
                                                      {Type::kWay, 20, "via"},
                                                      {Type::kNode, 7, "location_hint"},
                                                      {Type::kWay, 21, "via"},
                                                      {Type::kWay, 1, "from"}},
                          tags, counts);
  ASSERT_TRUE(by_ways.has_value());
  EXPECT_TRUE(by_ways->is_mandatory);
  EXPECT_TRUE(by_ways->is_u_turn);
  EXPECT_EQ(by_ways->from, std::vector<std::int64_t>{1});
  EXPECT_EQ(by_ways->via_ways, (std::vector<std::int64_t>{20, 21}));
  EXPECT_EQ(by_ways->to, std::vector<std::int64_t>{3});
  EXPECT_EQ(ReadTurnRestriction(kMembers, tags, counts)->via_node, 2);
  EXPECT_EQ(counts, RestrictionCounts{});
}

TEST(TurnRestrictionTest, CountsAreDescribed) {
  EXPECT_EQ(Describe(RestrictionCounts{}), "");
  EXPECT_EQ(Describe({.applied = 1'200}), "1,200 turn restrictions");
  EXPECT_EQ(Describe({.applied = 3, .missing = 2, .unclear = 1}),
            "3 turn restrictions (left out: 2 of missing ways, 1 unclear)");
}

}  // namespace
}  // namespace ridestream::roads
