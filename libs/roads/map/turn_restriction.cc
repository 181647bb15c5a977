#include "libs/roads/map/turn_restriction.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "libs/base/text.h"

namespace ridestream::roads {
namespace {

constexpr std::array<std::string_view, 7> kForbidding = {
    "no_left_turn", "no_right_turn", "no_straight_on", "no_u_turn",
    "no_turn",      "no_entry",      "no_exit"};
constexpr std::array<std::string_view, 4> kMandatory = {"only_left_turn", "only_right_turn",
                                                        "only_straight_on", "only_u_turn"};
/// Vehicles that a car is one of, the most specific first.
constexpr std::array<std::string_view, 3> kCars = {"motorcar", "motor_vehicle", "vehicle"};

template <class List>
bool Contains(const List& list, std::string_view value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

/// The kind of turn that is forbidden or mandatory for cars; "" if there is none.
std::string_view KindForCars(const Tags& tags) {
  for (const std::string_view key :
       {"restriction:motorcar", "restriction:motor_vehicle", "restriction:vehicle"}) {
    if (const std::string_view kind = tags.Get(key); !kind.empty()) return kind;
  }
  return tags.Get("restriction");
}

/// Whether cars are among the exempted vehicles of "except=psv;bicycle".
bool CarsAreExempt(std::string_view except) {
  while (!except.empty()) {
    const std::size_t end = std::min(except.find(';'), except.size());
    std::string_view one = except.substr(0, end);
    while (one.starts_with(' ')) one.remove_prefix(1);
    while (one.ends_with(' ')) one.remove_suffix(1);
    if (Contains(kCars, one)) return true;
    except.remove_prefix(std::min(end + 1, except.size()));
  }
  return false;
}

/// Whether the members form a restriction: `from`, `to`, and one node or some ways in between.
bool ReadMembers(std::span<const RelationMember> members, TurnRestriction& restriction) {
  int via_nodes = 0;
  for (const RelationMember& member : members) {
    const bool is_way = member.type == RelationMember::Type::kWay;
    if (member.role == "from" && is_way) {
      restriction.from.push_back(member.id);
    } else if (member.role == "to" && is_way) {
      restriction.to.push_back(member.id);
    } else if (member.role == "via" && is_way) {
      restriction.via_ways.push_back(member.id);
    } else if (member.role == "via" && member.type == RelationMember::Type::kNode) {
      restriction.via_node = member.id;
      ++via_nodes;
    }
  }
  return !restriction.from.empty() && !restriction.to.empty() &&
         via_nodes == (restriction.via_ways.empty() ? 1 : 0);
}

}  // namespace

std::string Describe(const RestrictionCounts& counts) {
  std::string left_out;
  const auto add = [&](std::uint32_t count, std::string_view what) {
    if (count == 0) return;
    left_out += fmt::format("{}{} {}", left_out.empty() ? "" : ", ", Grouped(count), what);
  };
  add(counts.missing, "of missing ways");
  add(counts.unclear, "unclear");
  add(counts.not_for_cars, "not for cars");
  add(counts.without_effect, "without effect");
  if (counts.applied == 0 && left_out.empty()) return "";
  return fmt::format("{} turn restrictions{}", Grouped(counts.applied),
                     left_out.empty() ? "" : fmt::format(" (left out: {})", left_out));
}

std::optional<TurnRestriction> ReadTurnRestriction(std::span<const RelationMember> members,
                                                   const Tags& tags, RestrictionCounts& counts) {
  if (tags.Get("type") != "restriction") return std::nullopt;
  const std::string_view kind = KindForCars(tags);
  const bool at_some_hours = !tags.Get("day_on").empty() || !tags.Get("hour_on").empty();
  if (kind.empty() || at_some_hours || CarsAreExempt(tags.Get("except"))) {
    ++counts.not_for_cars;
    return std::nullopt;
  }
  TurnRestriction restriction;
  restriction.is_mandatory = Contains(kMandatory, kind);
  restriction.is_u_turn = kind.ends_with("_u_turn");
  if ((!restriction.is_mandatory && !Contains(kForbidding, kind)) ||
      !ReadMembers(members, restriction)) {
    ++counts.unclear;
    return std::nullopt;
  }
  return restriction;
}

}  // namespace ridestream::roads
