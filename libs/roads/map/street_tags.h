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

/// What was left out of a map, or left to a rule, since it isn't understood.
struct TagCounts {
  std::uint32_t unknown_highways = 0;  ///< Kinds of street that no rule names; left out.
  std::uint32_t unknown_values = 0;  ///< Of access and direction, for each direction; passed over.
  std::uint32_t conditional = 0;     ///< Rules that hold at some times; not read.
  std::uint32_t ferries = 0;         ///< That aren't known to take cars; left out.

  friend bool operator==(const TagCounts&, const TagCounts&) = default;
};

/// What a way means for a car.
struct StreetTraits {
  /// The speed in each direction, along the order of its points; 0: may not be driven so.
  double forward_kmh = 0;
  double backward_kmh = 0;
  /// Whether, in that direction, only rides that begin or end there may be driven there.
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
/// blanks around values don't matter.
///
/// - Class: motorway, trunk, primary, secondary, tertiary and their links, unclassified, road,
///   residential, living_street. Of `service`, only plain access roads and alleys: driveways,
///   parking aisles and the like lead nowhere a trip goes. Never areas, tracks, or what is planned
///   or under construction. Ferries and car shuttle trains of which a tag says that they take cars.
/// - Access: see ReadAccess. Conditional access isn't read, but counted.
/// - Direction: the most specific of oneway:motorcar, oneway:motor_vehicle, oneway:vehicle and
///   oneway decides; motorways and roundabouts are one-way unless they say no. A reversible lane is
///   closed, as nobody knows its direction.
/// - Speed: the most specific of maxspeed:motorcar, maxspeed:motor_vehicle and maxspeed decides,
/// and
///   of one key that with the direction; else the zone that maxspeed:type, source:maxspeed,
///   zone:maxspeed or zone:traffic names; else what is typical for the class. "none" counts on
///   motorways alone.
std::optional<StreetTraits> ReadStreetTags(const Tags& tags, TagCounts& counts);

}  // namespace ridestream::roads
