#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "libs/base/geo.h"

namespace ridestream {

// What every service accepts as ids, texts, numbers and places from outside. The checks return
// INVALID_ARGUMENT with `field`, the path of the field. The message never contains text from
// outside, so it is safe to log and to send back.

inline constexpr std::size_t kMaxIdBytes = 64;
/// Names of people, vehicle models.
inline constexpr std::size_t kMaxNameCharacters = 64;
inline constexpr std::size_t kMaxPlateCharacters = 16;
/// Notes, comments and reasons.
inline constexpr std::size_t kMaxTextCharacters = 256;

/// Whether `id` is 1 to kMaxIdBytes bytes from [A-Za-z0-9._:-].
bool IsId(std::string_view id);

absl::Status ValidateId(std::string_view id, std::string_view field);
/// Also accepts an empty id.
absl::Status ValidateOptionalId(std::string_view id, std::string_view field);

/// Control characters (C0, DEL, C1), line and paragraph separators (U+2028, U+2029), and characters
/// that override the direction of text (U+202A to U+202E, U+2066 to U+2069).
bool IsForbiddenInText(char32_t code_point);

/// Replaces each character that IsForbiddenInText by a JSON escape, e.g. \u202e, so that the result
/// can't control a terminal or reorder the text around it. Bytes that aren't UTF-8 are kept.
std::string EscapeForbidden(std::string_view text);

/// Checks text for people: UTF-8 of at most `max_characters` Unicode code points, in any script,
/// without characters that IsForbiddenInText. May be empty.
absl::Status ValidateText(std::string_view text, std::size_t max_characters,
                          std::string_view field);

/// low <= value <= high.
absl::Status ValidateRange(std::int64_t value, std::int64_t low, std::int64_t high,
                           std::string_view field);

/// A place on the earth, see LatLng::IsValid; nullopt stands for a missing place. The error names
/// `field`.lat_e7 or `field`.lng_e7.
absl::Status ValidatePlace(const std::optional<LatLng>& place, std::string_view field);

}  // namespace ridestream
