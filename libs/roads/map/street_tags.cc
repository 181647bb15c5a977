#include "libs/roads/map/street_tags.h"

#include <algorithm>
#include <initializer_list>
#include <iterator>
#include <string>

#include "libs/roads/map/access_tags.h"
#include "libs/roads/map/tag_values.h"

namespace ridestream::roads {
namespace {

struct StreetClass {
  std::string_view highway;
  /// Typical speed of a car between stops, where no limit is tagged.
  double kmh;
};

constexpr StreetClass kStreetClasses[] = {
    {"motorway", 100},   {"motorway_link", 50}, {"trunk", 80},        {"trunk_link", 45},
    {"primary", 50},     {"primary_link", 40},  {"secondary", 45},    {"secondary_link", 35},
    {"tertiary", 40},    {"tertiary_link", 30}, {"unclassified", 35}, {"road", 30},
    {"residential", 30}, {"living_street", 10}, {"service", 15},
};

/// A ferry's, where no duration is tagged.
constexpr double kFerryKmh = 15;

/// Known values that are not for cars.
constexpr std::string_view kOtherHighways[] = {
    "footway",   "cycleway",     "path",         "steps",    "pedestrian",     "track",
    "bridleway", "corridor",     "construction", "proposed", "platform",       "raceway",
    "busway",    "bus_guideway", "escape",       "elevator", "via_ferrata",    "rest_area",
    "services",  "crossing",     "abandoned",    "disused",  "razed",          "emergency_bay",
    "planned",   "ladder",       "bus_stop",     "no",       "traffic_island",
};

bool IsAnyOf(std::string_view value, std::initializer_list<std::string_view> values) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

const StreetClass* FindClass(std::string_view highway) {
  const auto it = std::find_if(std::begin(kStreetClasses), std::end(kStreetClasses),
                               [&](const StreetClass& c) { return c.highway == highway; });
  return it == std::end(kStreetClasses) ? nullptr : it;
}

/// The way's class; null if it isn't for cars.
const StreetClass* DrivableClass(const Tags& tags, TagCounts& counts) {
  const std::string highway = FirstTagValue(tags.Get("highway"));
  if (highway.empty() || NormalizedTagValue(tags.Get("area")) == "yes") return nullptr;
  if (highway == "service" && !IsAnyOf(NormalizedTagValue(tags.Get("service")), {"", "alley"})) {
    return nullptr;
  }
  const StreetClass* const found = FindClass(highway);
  if (found == nullptr && std::find(std::begin(kOtherHighways), std::end(kOtherHighways),
                                    highway) == std::end(kOtherHighways)) {
    ++counts.unknown_highways;
  }
  return found;
}

struct Directions {
  bool forward;
  bool backward;
};

Directions ReadDirections(const Tags& tags, std::string_view highway, TagCounts& counts) {
  for (const std::string_view key :
       {"oneway:motorcar", "oneway:motor_vehicle", "oneway:vehicle", "oneway"}) {
    const std::string oneway = NormalizedTagValue(tags.Get(key));
    if (oneway.empty()) continue;
    if (IsAnyOf(oneway, {"yes", "true", "1"})) return {true, false};
    if (IsAnyOf(oneway, {"-1", "reverse"})) return {false, true};
    if (oneway == "reversible") return {false, false};
    if (IsAnyOf(oneway, {"no", "false", "0", "alternating"})) return {true, true};
    ++counts.unknown_values;
  }
  const bool implied = highway == "motorway" || IsAnyOf(NormalizedTagValue(tags.Get("junction")),
                                                        {"roundabout", "circular"});
  return {true, !implied};
}

/// The limit that signs or a zone set in one direction; nullopt if no tag has one.
std::optional<double> ReadLimitKmh(const Tags& tags, std::string_view direction, bool is_motorway) {
  const auto read = [&](std::string_view key) -> std::optional<double> {
    const std::string_view value = tags.Get(key);
    const bool unlimited = IsAnyOf(FirstTagValue(value), {"none", "unlimited"});
    if (value.empty() || (unlimited && !is_motorway)) return std::nullopt;
    return ParseSpeedKmh(value);
  };
  for (const std::string_view key : {"maxspeed:motorcar", "maxspeed:motor_vehicle", "maxspeed"}) {
    if (const auto kmh = read(std::string(key).append(":").append(direction))) return kmh;
    if (const auto kmh = read(key)) return kmh;
  }
  for (const std::string_view key :
       {"maxspeed:type", "source:maxspeed", "zone:maxspeed", "zone:traffic"}) {
    if (const auto kmh = read(key)) return kmh;
  }
  return std::nullopt;
}

void CountConditional(const Tags& tags, TagCounts& counts) {
  for (const auto& [key, value] : tags) {
    if (!key.ends_with(":conditional")) continue;
    for (const std::string_view rule :
         {"motorcar", "motor_vehicle", "vehicle", "access", "oneway", "maxspeed"}) {
      if (key.starts_with(rule)) {
        ++counts.conditional;
        break;
      }
    }
  }
}

bool MayStop(const Tags& tags, std::string_view highway) {
  if (IsAnyOf(highway, {"motorway", "motorway_link"})) return false;
  if (NormalizedTagValue(tags.Get("motorroad")) == "yes") return false;
  return IsAnyOf(NormalizedTagValue(tags.Get("tunnel")), {"", "no", "building_passage"});
}

std::string_view NameOf(const Tags& tags) {
  return tags.Get("name").empty() ? tags.Get("ref") : tags.Get("name");
}

/// A ferry is open to cars if a key for motor vehicles says so, or if it is part of a road.
std::optional<StreetTraits> ReadFerryTags(const Tags& tags, TagCounts& counts) {
  const CarAccess by_road = FindClass(NormalizedTagValue(tags.Get("ferry"))) != nullptr
                                ? CarAccess::kOpen
                                : CarAccess::kClosed;
  Tags motor;  // Without "access", which for a ferry speaks of people on foot too.
  for (const auto& [key, value] : tags) {
    if (!key.starts_with("access")) motor.Add(key, value);
  }
  const Directions directions = ReadDirections(tags, "", counts);
  StreetTraits traits;
  const bool forward = ReadAccess(motor, "forward", by_road, counts) != CarAccess::kClosed;
  const bool backward = ReadAccess(motor, "backward", by_road, counts) != CarAccess::kClosed;
  if (directions.forward && forward) traits.forward_kmh = kFerryKmh;
  if (directions.backward && backward) traits.backward_kmh = kFerryKmh;
  if (traits.forward_kmh == 0 && traits.backward_kmh == 0) {
    ++counts.ferries;
    return std::nullopt;
  }
  traits.may_stop = false;
  traits.crossing_s = ParseDurationSeconds(tags.Get("duration")).value_or(0);
  traits.name = NameOf(tags);
  return traits;
}

}  // namespace

std::string_view Tags::Get(std::string_view key) const {
  for (const auto& [k, value] : tags_) {
    if (k == key) return value;
  }
  return "";
}

std::optional<StreetTraits> ReadStreetTags(const Tags& tags, TagCounts& counts) {
  if (tags.Get("highway").empty() &&
      IsAnyOf(NormalizedTagValue(tags.Get("route")), {"ferry", "shuttle_train"})) {
    return ReadFerryTags(tags, counts);
  }
  const StreetClass* const street_class = DrivableClass(tags, counts);
  if (street_class == nullptr) return std::nullopt;
  CountConditional(tags, counts);
  const Directions open = ReadDirections(tags, street_class->highway, counts);
  const auto access_of = [&](bool is_open, std::string_view direction) {
    return is_open ? ReadAccess(tags, direction, CarAccess::kOpen, counts) : CarAccess::kClosed;
  };
  const CarAccess forward = access_of(open.forward, "forward");
  const CarAccess backward = access_of(open.backward, "backward");
  if (forward == CarAccess::kClosed && backward == CarAccess::kClosed) return std::nullopt;

  const auto kmh_of = [&](CarAccess access, std::string_view direction) {
    if (access == CarAccess::kClosed) return 0.0;
    const bool is_motorway = street_class->highway == "motorway";
    return ReadLimitKmh(tags, direction, is_motorway).value_or(street_class->kmh);
  };
  return StreetTraits{.forward_kmh = kmh_of(forward, "forward"),
                      .backward_kmh = kmh_of(backward, "backward"),
                      .forward_is_destination_only = forward == CarAccess::kDestination,
                      .backward_is_destination_only = backward == CarAccess::kDestination,
                      .may_stop = MayStop(tags, street_class->highway),
                      .name = NameOf(tags)};
}

}  // namespace ridestream::roads
