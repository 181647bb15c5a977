#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libs/roads/map/street_tags.h"

namespace ridestream::roads {

/// A member of an OpenStreetMap relation.
struct RelationMember {
  enum class Type { kNode, kWay, kRelation };
  Type type = Type::kNode;
  std::int64_t id = 0;
  std::string_view role;  ///< What it points to must outlive it.
};

/// A turn restriction in OpenStreetMap's terms: a car that comes along one of `from` via `via` may
/// not continue along any of `to`, or may continue along nothing else.
struct TurnRestriction {
  bool is_mandatory = false;  ///< only_*; else no_*.
  bool is_u_turn = false;     ///< no_u_turn or only_u_turn.
  std::vector<std::int64_t> from;
  std::vector<std::int64_t> to;
  std::int64_t via_node = 0;           ///< If `via_ways` is empty.
  std::vector<std::int64_t> via_ways;  ///< In the order in which they are driven.
};

/// The turn restrictions of a map by outcome; each is counted once.
struct RestrictionCounts {
  std::uint32_t applied = 0;
  /// For vehicles other than cars (restriction:hgv, except=motorcar), or only at certain hours,
  /// which are not interpreted.
  std::uint32_t not_for_cars = 0;
  /// Names a way or a node that isn't a drivable street of the map, as at the cut edge of an
  /// extract.
  std::uint32_t missing = 0;
  /// Lacks a member, names an unknown kind of turn, or its ways don't meet as they should.
  std::uint32_t unclear = 0;
  /// Forbids what can't be driven anyway, such as to turn against a one-way street.
  std::uint32_t without_effect = 0;

  friend bool operator==(const RestrictionCounts&, const RestrictionCounts&) = default;
};

/// For people: "340 turn restrictions (5 with missing ways, 2 unclear)"; "" if there were none.
std::string Describe(const RestrictionCounts& counts);

/// Reads a relation. nullopt if it isn't a turn restriction, or if it doesn't apply to cars or
/// isn't understood; the latter two cases are counted.
std::optional<TurnRestriction> ReadTurnRestriction(std::span<const RelationMember> members,
                                                   const Tags& tags, RestrictionCounts& counts);

}  // namespace ridestream::roads
