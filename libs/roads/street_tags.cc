#include "libs/roads/street_tags.h"

#include <algorithm>
#include <charconv>
#include <iterator>

namespace ridestream::roads {
namespace {

constexpr double kKmPerMile = 1.609344;
constexpr double kKmPerNauticalMile = 1.852;

struct NamedSpeed {
  std::string_view name;
  double kmh;
};

/// What a car typically reaches between stops, where no limit is tagged.
constexpr NamedSpeed kClasses[] = {
    {"motorway", 100},   {"motorway_link", 50}, {"trunk", 80},        {"trunk_link", 45},
    {"primary", 50},     {"primary_link", 40},  {"secondary", 45},    {"secondary_link", 35},
    {"tertiary", 40},    {"tertiary_link", 30}, {"unclassified", 35}, {"road", 30},
    {"residential", 30}, {"living_street", 10}, {"service", 15},
};

/// Limits by name, as they follow a country's code: "PT:urban". The usual values; countries differ
/// by a few km/h.
constexpr NamedSpeed kNamedLimits[] = {
    {"living_street", 10},
    {"school", 30},
    {"urban", 50},
    {"rural", 90},
    {"trunk", 100},
    {"motorway", 120},
    {"nsl_restricted", 30 * kKmPerMile},
    {"nsl_single", 60 * kKmPerMile},
    {"nsl_dual", 70 * kKmPerMile},
};

constexpr std::string_view kClosed[] = {
    "no",        "private",  "agricultural", "forestry", "agricultural;forestry",
    "emergency", "military", "bus",          "psv",      "delivery",
    "residents", "permit",   "hgv",          "bicycle",  "foot",
};

template <class Table>
std::optional<double> Find(const Table& table, std::string_view name) {
  const auto it = std::find_if(std::begin(table), std::end(table),
                               [&](const NamedSpeed& entry) { return entry.name == name; });
  if (it == std::end(table)) return std::nullopt;
  return it->kmh;
}

std::string_view Trim(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

/// Of a list of values ("50; 40") the first.
std::string_view FirstOf(std::string_view values) {
  return Trim(values.substr(0, values.find(';')));
}

bool IsOneOf(std::string_view value, std::initializer_list<std::string_view> values) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

bool IsOpen(const Tags& tags) {
  for (const std::string_view key : {"motorcar", "motor_vehicle", "vehicle", "access"}) {
    const std::string_view value = tags.Get(key);
    if (value.empty()) continue;
    return std::find(std::begin(kClosed), std::end(kClosed), value) == std::end(kClosed);
  }
  return true;
}

/// The way's class, "" if it isn't for cars.
std::string_view DrivableClass(const Tags& tags) {
  const std::string_view highway = FirstOf(tags.Get("highway"));
  if (tags.Get("area") == "yes") return "";
  if (highway == "service" && !IsOneOf(tags.Get("service"), {"", "alley"})) return "";
  return Find(kClasses, highway) ? highway : "";
}

struct Directions {
  bool forward;
  bool backward;
};

Directions ReadDirections(const Tags& tags, std::string_view highway) {
  const std::string_view oneway = tags.Get("oneway");
  if (IsOneOf(oneway, {"yes", "true", "1"})) return {true, false};
  if (IsOneOf(oneway, {"-1", "reverse"})) return {false, true};
  if (oneway == "reversible") return {false, false};
  if (IsOneOf(oneway, {"no", "false", "0"})) return {true, true};
  const bool implied =
      highway == "motorway" || IsOneOf(tags.Get("junction"), {"roundabout", "circular"});
  return {true, !implied};
}

/// "PT:urban", "DE:zone:30", "FR:zone30", "NL:50".
std::optional<double> ParseNationalLimit(std::string_view limit) {
  const std::string_view name = limit.substr(limit.find(':') + 1);
  if (const auto named = Find(kNamedLimits, name)) return named;
  const std::size_t digits = name.find_last_not_of("0123456789") + 1;
  if (digits == name.size()) return std::nullopt;
  return ParseSpeedKmh(name.substr(digits));
}

}  // namespace

std::string_view Tags::Get(std::string_view key) const {
  for (const auto& [k, value] : tags_) {
    if (k == key) return value;
  }
  return "";
}

std::optional<double> ParseSpeedKmh(std::string_view maxspeed) {
  const std::string_view text = FirstOf(maxspeed);
  if (text == "none") return 130;
  if (text == "walk") return 5;
  if (text.find(':') != std::string_view::npos) return ParseNationalLimit(text);

  double value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc()) return std::nullopt;
  const std::string_view unit = Trim(text.substr(static_cast<std::size_t>(end - text.data())));
  if (unit == "mph") {
    value *= kKmPerMile;
  } else if (unit == "knots") {
    value *= kKmPerNauticalMile;
  } else if (!IsOneOf(unit, {"", "km/h", "kmh", "kph"})) {
    return std::nullopt;
  }
  if (!(value >= 1 && value <= 200)) return std::nullopt;
  return value;
}

std::optional<StreetTraits> ReadStreetTags(const Tags& tags) {
  const std::string_view highway = DrivableClass(tags);
  if (highway.empty() || !IsOpen(tags)) return std::nullopt;
  const Directions open = ReadDirections(tags, highway);
  if (!open.forward && !open.backward) return std::nullopt;

  const double both = ParseSpeedKmh(tags.Get("maxspeed")).value_or(*Find(kClasses, highway));
  StreetTraits traits;
  if (open.forward) traits.forward_kmh = ParseSpeedKmh(tags.Get("maxspeed:forward")).value_or(both);
  if (open.backward) {
    traits.backward_kmh = ParseSpeedKmh(tags.Get("maxspeed:backward")).value_or(both);
  }
  traits.name = tags.Get("name").empty() ? tags.Get("ref") : tags.Get("name");
  return traits;
}

}  // namespace ridestream::roads
