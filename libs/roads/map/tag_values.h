#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace ridestream::roads {

/// A tag's value as the rules compare it: without surrounding blanks, ASCII letters in lower case.
std::string NormalizedTagValue(std::string_view value);

/// Calls `visit` with each normalized value of a list ("permit; Delivery"), empty ones left out.
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

/// A maxspeed in km/h: "50", "30 mph", "walk", "urban", "PT:urban", "DE:zone:30", "zone30";
/// capitals don't matter. Of a list ("50; 40") the first. nullopt if it names no speed between 1
/// and 200 km/h; "none" is 130.
std::optional<double> ParseSpeedKmh(std::string_view maxspeed);

/// A duration in seconds, as ferries have it: "1:30" or "01:30:00" (hours first), "45" (minutes),
/// or ISO 8601's "PT1H30M". nullopt if it is none of these, or not between 1 s and 2 days.
std::optional<double> ParseDurationSeconds(std::string_view duration);

}  // namespace ridestream::roads
