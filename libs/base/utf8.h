#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace ridestream {

/// Removes the first code point from `text` and returns it. nullopt, with `text` unchanged, if
/// `text` is empty or does not begin with well-formed UTF-8 (overlong forms, surrogates and code
/// points beyond U+10FFFF are not).
std::optional<char32_t> TakeCodePoint(std::string_view& text);

/// The longest prefix of at most `max_bytes` that does not split a code point.
std::string_view Utf8Prefix(std::string_view text, std::size_t max_bytes);

}  // namespace ridestream
