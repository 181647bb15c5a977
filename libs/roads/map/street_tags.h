#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace ridestream::roads {

/// The tags of one OpenStreetMap way, node or relation. Holds views: what they point to must
/// outlive it.
class Tags {
 public:
  void Add(std::string_view key, std::string_view value) { tags_.emplace_back(key, value); }
  void Clear() { tags_.clear(); }
  /// The value of `key`, "" if the way doesn't have it.
  std::string_view Get(std::string_view key) const;
  bool empty() const { return tags_.empty(); }
  auto begin() const { return tags_.begin(); }
  auto end() const { return tags_.end(); }

 private:
  std::vector<std::pair<std::string_view, std::string_view>> tags_;  // a handful: no map is faster
};

/// Counts of tags that were ignored or left to a default rule, because they aren't understood.
struct TagCounts {
  std::uint32_t unknown_highways = 0;  ///< Kinds of street that no rule names; left out.
  std::uint32_t unknown_values = 0;  ///< Of access and direction, for each direction; passed over.
  std::uint32_t conditional = 0;     ///< Rules that hold at some times; not read.
  std::uint32_t ferries = 0;         ///< That aren't known to take cars; left out.

  friend bool operator==(const TagCounts&, const TagCounts&) = default;
};

/// What a way means for a car.
struct StreetTraits {
  /// The speed in each direction, along the order of its points; 0: driving in that direction is
  /// forbidden.
  double forward_kmh = 0;
  double backward_kmh = 0;
  /// Whether only rides that begin or end there may drive in that direction.
  bool forward_is_destination_only = false;
  bool backward_is_destination_only = false;
  /// Whether a car may stop there for a rider: not on motorways, motorroads and ferries, nor in
  /// tunnels.
  bool may_stop = true;
  /// A ferry's crossing as a whole, in seconds; 0: by its speed.
  double crossing_s = 0;
  std::string_view name;  ///< Its name, else its number ("A 28"), else "".
};

/// Whether and how a car that carries riders may drive a way; nullopt if it may not. Capitals and
/// blanks around values are ignored.
/// - Class: motorway, trunk, primary, secondary, tertiary and their links, unclassified, road,
///   residential, living_street. Of `service`, only plain access roads and alleys, because
///   driveways, parking aisles and the like lead to no destination of a trip. Never areas, tracks,
///   or ways that are planned or under construction. Ferries and car shuttle trains if a tag says
///   that they take cars.
/// - Access: see ReadAccess. Conditional access is counted but not interpreted.
/// - Direction: the most specific of oneway:motorcar, oneway:motor_vehicle, oneway:vehicle and
///   oneway decides; motorways and roundabouts are one-way unless tagged otherwise. A reversible
///   lane is closed, because its current direction is unknown.
/// - Speed: the most specific of maxspeed:motorcar, maxspeed:motor_vehicle and maxspeed decides,
///   and of one key the variant with the direction; else the zone in maxspeed:type,
///   source:maxspeed, zone:maxspeed or zone:traffic; else the typical speed of the class. "none"
///   counts on motorways only.
std::optional<StreetTraits> ReadStreetTags(const Tags& tags, TagCounts& counts);

}  // namespace ridestream::roads
