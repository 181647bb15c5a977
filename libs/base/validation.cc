#include "libs/base/validation.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "libs/base/utf8.h"

namespace ridestream {
namespace {

constexpr std::array<bool, 256> MakeIdBytes() {
  std::array<bool, 256> bytes{};
  for (const char c :
       std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-")) {
    bytes[static_cast<unsigned char>(c)] = true;
  }
  return bytes;
}
constexpr std::array<bool, 256> kIdBytes = MakeIdBytes();

// 90 and 180 degrees.
constexpr std::int64_t kMaxLatE7 = 900'000'000;
constexpr std::int64_t kMaxLngE7 = 1'800'000'000;

}  // namespace

bool IsForbiddenInText(char32_t c) {
  const bool is_control = c < 0x20 || (c >= 0x7F && c <= 0x9F);
  return is_control || (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

bool IsId(std::string_view id) {
  return !id.empty() && id.size() <= kMaxIdBytes && std::all_of(id.begin(), id.end(), [](char c) {
    return kIdBytes[static_cast<unsigned char>(c)];
  });
}

absl::Status ValidateId(std::string_view id, std::string_view field) {
  if (IsId(id)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("{}: must be 1 to {} characters of [A-Za-z0-9._:-], has {} bytes", field,
                  kMaxIdBytes, id.size()));
}

absl::Status ValidateOptionalId(std::string_view id, std::string_view field) {
  return id.empty() ? absl::OkStatus() : ValidateId(id, field);
}

std::string EscapeForbidden(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  while (!text.empty()) {
    std::string_view rest = text;
    const std::optional<char32_t> c = TakeCodePoint(rest);
    if (!c) rest.remove_prefix(1);
    if (c && IsForbiddenInText(*c)) {
      escaped += fmt::format("\\u{:04x}", static_cast<std::uint32_t>(*c));
    } else {
      escaped += text.substr(0, text.size() - rest.size());
    }
    text = rest;
  }
  return escaped;
}

absl::Status ValidateText(std::string_view text, std::size_t max_characters,
                          std::string_view field) {
  constexpr std::size_t kMaxBytesOfCharacter = 4;
  const auto too_long = [&] {
    return absl::InvalidArgumentError(
        fmt::format("{}: must have at most {} characters", field, max_characters));
  };
  // Bounds the work that follows.
  if (text.size() > max_characters * kMaxBytesOfCharacter) return too_long();
  std::string_view rest = text;
  for (std::size_t characters = 1; !rest.empty(); ++characters) {
    const std::optional<char32_t> c = TakeCodePoint(rest);
    if (!c) return absl::InvalidArgumentError(fmt::format("{}: must be valid UTF-8", field));
    if (IsForbiddenInText(*c)) {
      return absl::InvalidArgumentError(
          fmt::format("{}: must not contain the control character U+{:04X}", field,
                      static_cast<std::uint32_t>(*c)));
    }
    if (characters > max_characters) return too_long();
  }
  return absl::OkStatus();
}

absl::Status ValidateRange(std::int64_t value, std::int64_t low, std::int64_t high,
                           std::string_view field) {
  if (low <= value && value <= high) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("{}: must be in {} to {}, is {}", field, low, high, value));
}

absl::Status ValidatePlace(const std::optional<LatLng>& place, std::string_view field) {
  if (!place) return absl::InvalidArgumentError(fmt::format("{}: is missing", field));
  if (place->IsValid()) return absl::OkStatus();
  absl::Status status =
      ValidateRange(place->lat_e7, -kMaxLatE7, kMaxLatE7, fmt::format("{}.lat_e7", field));
  if (!status.ok()) return status;
  return ValidateRange(place->lng_e7, -kMaxLngE7, kMaxLngE7, fmt::format("{}.lng_e7", field));
}

}  // namespace ridestream
