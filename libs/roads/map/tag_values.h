#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace ridestream::roads {

/// Normalizes a tag's value for comparison: without surrounding blanks, ASCII letters in lower
/// case.
std::string NormalizedTagValue(std::string_view value);

/// Calls `visit` with each normalized, non-empty value of a list ("permit; Delivery").
template <class Visit>
void ForEachTagValue(std::string_view list, Visit visit) {
  while (true) {
    const std::size_t end = list.find(';');
    if (std::string value = NormalizedTagValue(list.substr(0, end)); !value.empty()) visit(value);
    if (end == std::string_view::npos) return;
    list.remove_prefix(end + 1);
  }
}

/// The first value of a list, "" if there is none.
std::string FirstTagValue(std::string_view list);

/// Parses a maxspeed in km/h: "50", "30 mph", "walk", "urban", "PT:urban", "DE:zone:30", "zone30";
/// case-insensitive. In a list ("50; 40") the first value counts. nullopt unless the speed is
/// between 1 and 200 km/h; "none" is 130.
std::optional<double> ParseSpeedKmh(std::string_view maxspeed);

/// Parses a ferry's duration in seconds: "1:30" or "01:30:00" (hours first), "45" (minutes), or ISO
/// 8601's "PT1H30M". nullopt for anything else, and for durations outside of 1 s to 2 days.
std::optional<double> ParseDurationSeconds(std::string_view duration);

}  // namespace ridestream::roads
