#include "libs/identity/base64url.h"

#include "absl/strings/escaping.h"

namespace ridestream::identity {

std::optional<std::string> DecodeBase64Url(std::string_view text) {
  std::string decoded;
  if (!absl::WebSafeBase64Unescape(absl::string_view(text.data(), text.size()), &decoded)) {
    return std::nullopt;
  }
  // The decoder is lenient, so the text must equal the canonical encoding.
  if (absl::WebSafeBase64Escape(decoded) != text) return std::nullopt;
  return decoded;
}

}  // namespace ridestream::identity
