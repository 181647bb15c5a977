#pragma once

#include <fmt/format.h>

#include <string>

namespace ridestream {

/// 12320 as "12,320".
inline std::string Grouped(long long number) {
  std::string text = fmt::format("{}", number);
  const std::size_t first_digit = number < 0 ? 1 : 0;
  for (std::size_t at = text.size(); at > first_digit + 3;) {
    at -= 3;
    text.insert(at, 1, ',');
  }
  return text;
}

}  // namespace ridestream
