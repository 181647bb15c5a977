#include "clients/cpp/src/checks.h"

#include <cmath>
#include <limits>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "clients/cpp/src/errors.h"
#include "ridestream/client/place.h"

namespace ridestream::client {
namespace {

constexpr std::size_t kMaxId = 64;
constexpr std::size_t kMaxUtf8Bytes = 4;

bool IsOfId(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == ':' ||
         c == '-';
}

/// Controls, and what reorders the text around it.
bool IsForbidden(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c <= 0x9F) || (c >= 0x2028 && c <= 0x202E) ||
         (c >= 0x2066 && c <= 0x2069);
}

/// The code point at `at`, which is moved behind it; nothing if the bytes there aren't UTF-8.
std::optional<char32_t> TakeCodePoint(const std::string& text, std::size_t& at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  const std::size_t length = lead < 0x80   ? 1
                             : lead < 0xC2 ? 0
                             : lead < 0xE0 ? 2
                             : lead < 0xF0 ? 3
                             : lead < 0xF5 ? 4
                                           : 0;
  if (length == 0 || length > text.size() - at) return std::nullopt;
  constexpr unsigned char kLeadBits[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
  char32_t code_point = lead & kLeadBits[length];
  for (std::size_t i = 1; i < length; ++i) {
    const auto next = static_cast<unsigned char>(text[at + i]);
    if ((next & 0xC0) != 0x80) return std::nullopt;
    code_point = (code_point << 6) | (next & 0x3F);
  }
  constexpr char32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool is_surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
  if (code_point < kSmallest[length] || code_point > 0x10FFFF || is_surrogate) return std::nullopt;
  at += length;
  return code_point;
}

std::int32_t ToE7(double degrees) {
  const double rounded = std::round(degrees * 1e7);
  // Out of range for latitudes and longitudes alike.
  constexpr std::int32_t kNowhere = std::numeric_limits<std::int32_t>::max();
  return std::abs(rounded) <= kNowhere ? static_cast<std::int32_t>(rounded) : kNowhere;
}

}  // namespace

absl::Status Invalid(const std::string& message) {
  return MakeError(absl::StatusCode::kInvalidArgument, message,
                   {.kind = ErrorKind::kBeforeTheWire});
}

absl::Status CheckId(const std::string& id, const std::string& field) {
  bool is_valid = !id.empty() && id.size() <= kMaxId;
  for (const char c : id) is_valid = is_valid && IsOfId(c);
  if (is_valid) return absl::OkStatus();
  return Invalid(absl::StrFormat("%s: must be 1 to %d characters of [A-Za-z0-9._:-], has %d bytes",
                                 field, kMaxId, id.size()));
}

absl::Status CheckText(const std::string& text, std::size_t limit, const std::string& field) {
  const absl::Status too_long =
      Invalid(absl::StrFormat("%s: must have at most %d characters", field, limit));
  if (text.size() > limit * kMaxUtf8Bytes) return too_long;
  std::size_t characters = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::optional<char32_t> c = TakeCodePoint(text, at);
    if (!c) return Invalid(absl::StrCat(field, ": must be valid UTF-8"));
    if (IsForbidden(*c)) {
      return Invalid(absl::StrFormat("%s: must not contain the control character U+%04X", field,
                                     static_cast<std::uint32_t>(*c)));
    }
    if (++characters > limit) return too_long;
  }
  return absl::OkStatus();
}

absl::Status CheckRange(std::int64_t value, std::int64_t low, std::int64_t high,
                        const std::string& field) {
  if (value >= low && value <= high) return absl::OkStatus();
  return Invalid(absl::StrFormat("%s: must be %d to %d, is %d", field, low, high, value));
}

absl::Status CheckPlace(const common::v1::LatLng& place, const std::string& field) {
  return FirstOf(CheckRange(place.lat_e7(), -900'000'000, 900'000'000, field + ".lat_e7"),
                 CheckRange(place.lng_e7(), -1'800'000'000, 1'800'000'000, field + ".lng_e7"));
}

common::v1::LatLng Place(double lat, double lng) {
  common::v1::LatLng place;
  place.set_lat_e7(ToE7(lat));
  place.set_lng_e7(ToE7(lng));
  return place;
}

}  // namespace ridestream::client
