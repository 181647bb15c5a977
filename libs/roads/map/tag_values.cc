#include "libs/roads/map/tag_values.h"

#include <algorithm>
#include <charconv>
#include <iterator>

namespace ridestream::roads {
namespace {

constexpr double kKmPerMile = 1.609344;
constexpr double kKmPerNauticalMile = 1.852;
constexpr double kMaxDurationS = 2 * 24 * 3600;

struct NamedLimit {
  std::string_view name;
  double kmh;
};

/// Limits by name, often behind a country's code: "PT:urban". The usual values; countries differ by
/// a few km/h.
constexpr NamedLimit kNamedLimits[] = {
    {"none", 130},
    {"unlimited", 130},
    {"walk", 5},
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

std::string_view TrimBlanks(std::string_view text) {
  constexpr std::string_view kBlanks = " \t";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return "";
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

/// Parses and removes a number at the front of `text`.
std::optional<double> TakeNumber(std::string_view& text) {
  double value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

/// Parses "PT1H30M". Only hours, minutes and seconds are accepted.
std::optional<double> ParseIsoSeconds(std::string_view text) {
  if (!text.starts_with("pt")) return std::nullopt;
  text.remove_prefix(2);
  double seconds = 0;
  while (!text.empty()) {
    const auto number = TakeNumber(text);
    if (!number || text.empty()) return std::nullopt;
    const char unit = text.front();
    if (unit != 'h' && unit != 'm' && unit != 's') return std::nullopt;
    seconds += *number * (unit == 'h' ? 3600 : unit == 'm' ? 60 : 1);
    text.remove_prefix(1);
  }
  return seconds;
}

/// "45", "1:30", "01:30:00".
std::optional<double> ParseClockSeconds(std::string_view text) {
  double parts[3];
  std::size_t count = 0;
  while (true) {
    const auto number = TakeNumber(text);
    if (!number || *number < 0 || count == std::size(parts)) return std::nullopt;
    parts[count++] = *number;
    if (text.empty()) break;
    if (text.front() != ':') return std::nullopt;
    text.remove_prefix(1);
  }
  if (count == 1) return parts[0] * 60;
  return parts[0] * 3600 + parts[1] * 60 + (count == 3 ? parts[2] : 0);
}

}  // namespace

std::string NormalizedTagValue(std::string_view value) {
  std::string normalized(TrimBlanks(value));
  for (char& c : normalized) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return normalized;
}

std::string FirstTagValue(std::string_view list) {
  std::string first;
  ForEachTagValue(list, [&](const std::string& value) {
    if (first.empty()) first = value;
  });
  return first;
}

std::optional<double> ParseSpeedKmh(std::string_view maxspeed) {
  const std::string value = FirstTagValue(maxspeed);
  std::string_view text = value;
  // Behind a country's code, and behind "zone", which a colon may follow.
  const std::size_t colon = text.find(':');
  if (colon != std::string_view::npos && !text.starts_with("zone")) text.remove_prefix(colon + 1);
  const bool is_zone = text.starts_with("zone");
  if (is_zone) text.remove_prefix(text.starts_with("zone:") ? 5 : 4);
  const auto named = std::find_if(std::begin(kNamedLimits), std::end(kNamedLimits),
                                  [&](const NamedLimit& limit) { return limit.name == text; });
  if (named != std::end(kNamedLimits)) return named->kmh;

  const auto number = TakeNumber(text);
  if (!number) return std::nullopt;
  const std::string_view unit = TrimBlanks(text);
  double kmh = *number;
  if (unit == "mph") {
    kmh *= kKmPerMile;
  } else if (unit == "knots") {
    kmh *= kKmPerNauticalMile;
  } else if (!unit.empty() && unit != "km/h" && unit != "kmh" && unit != "kph") {
    return std::nullopt;
  }
  if (!(kmh >= 1 && kmh <= 200)) return std::nullopt;
  return kmh;
}

std::optional<double> ParseDurationSeconds(std::string_view duration) {
  const std::string text = NormalizedTagValue(duration);
  auto seconds = ParseIsoSeconds(text);
  if (!seconds) seconds = ParseClockSeconds(text);
  if (!seconds || !(*seconds >= 1 && *seconds <= kMaxDurationS)) return std::nullopt;
  return seconds;
}

}  // namespace ridestream::roads
