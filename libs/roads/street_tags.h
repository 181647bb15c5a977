#pragma once

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace ridestream::roads {

/// The tags of one OpenStreetMap way. Holds views: what they point to must outlive it.
class Tags {
 public:
  void Add(std::string_view key, std::string_view value) { tags_.emplace_back(key, value); }
  void Clear() { tags_.clear(); }
  /// The value of `key`, "" if the way doesn't have it.
  std::string_view Get(std::string_view key) const;

 private:
  std::vector<std::pair<std::string_view, std::string_view>> tags_;  // a handful: no map is faster
};

/// What a way means for a car: the speed in each direction, along the order of its points.
struct StreetTraits {
  double forward_kmh = 0;   ///< 0: may not be driven in this direction.
  double backward_kmh = 0;  ///< Likewise.
  std::string_view name;    ///< Its name, else its number ("A 28"), else "".
};

/// Whether and how a car that carries riders may drive a way; nullopt if it may not.
///
/// - Class: motorway, trunk, primary, secondary, tertiary and their links, unclassified, road,
///   residential, living_street. Of `service`, only plain access roads and alleys: driveways,
///   parking aisles and the like lead nowhere a trip goes. Never areas, tracks, or what is planned
///   or under construction.
/// - Access: the most specific of motorcar, motor_vehicle, vehicle and access decides. Closed: no,
///   private, and what is for others only (bus, delivery, forestry, ...). Open: all else, also
///   destination and customers, as a rider is both. Conditional access isn't read.
/// - Direction: oneway; motorways and roundabouts are one-way unless they say no. A reversible
///   lane is closed, as nobody knows its direction.
/// - Speed: maxspeed:forward or maxspeed:backward, else maxspeed, else typical for the class.
std::optional<StreetTraits> ReadStreetTags(const Tags& tags);

/// A maxspeed in km/h: "50", "30 mph", "none", "walk", "PT:urban", "DE:zone:30". Of a list
/// ("50; 40") the first. nullopt if it names no speed between 1 and 200 km/h.
std::optional<double> ParseSpeedKmh(std::string_view maxspeed);

}  // namespace ridestream::roads
