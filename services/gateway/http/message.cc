#include "services/gateway/http/message.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"

namespace ridestream::gateway {

bool SameName(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return absl::ascii_tolower(static_cast<unsigned char>(x)) ==
           absl::ascii_tolower(static_cast<unsigned char>(y));
  });
}

void Headers::Add(std::string_view name, std::string_view value) {
  std::string clean(value);
  for (char& c : clean) {
    if (c != '\t' && absl::ascii_iscntrl(static_cast<unsigned char>(c))) c = ' ';
  }
  fields_.emplace_back(name, std::move(clean));
}

std::string_view Headers::Get(std::string_view name) const {
  const auto found = std::find_if(fields_.begin(), fields_.end(), [name](const Field& field) {
    return SameName(field.first, name);
  });
  return found == fields_.end() ? std::string_view() : std::string_view(found->second);
}

bool Headers::Has(std::string_view name) const { return Count(name) > 0; }

std::size_t Headers::Count(std::string_view name) const {
  return static_cast<std::size_t>(
      std::count_if(fields_.begin(), fields_.end(),
                    [name](const Field& field) { return SameName(field.first, name); }));
}

std::optional<std::string_view> FindCookie(const Headers& headers, std::string_view name) {
  std::optional<std::string_view> found;
  for (const auto& [field, value] : headers) {
    if (!SameName(field, "cookie")) continue;
    for (const absl::string_view piece : absl::StrSplit(value, ';')) {
      const absl::string_view stripped = absl::StripAsciiWhitespace(piece);
      const std::string_view cookie(stripped.data(), stripped.size());
      const std::size_t equals = cookie.find('=');
      if (equals == std::string_view::npos || cookie.substr(0, equals) != name) continue;
      if (found) return std::nullopt;
      found = cookie.substr(equals + 1);
    }
  }
  return found;
}

std::string MediaType(std::string_view content_type) {
  const std::string_view type = content_type.substr(0, content_type.find(';'));
  return absl::AsciiStrToLower(
      absl::StripAsciiWhitespace(absl::string_view(type.data(), type.size())));
}

}  // namespace ridestream::gateway
