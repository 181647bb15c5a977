#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ridestream::identity {

/// Decodes base64url without padding (RFC 7515). Nothing for any other text, also when only the
/// unused bits of its last character aren't zero: else a token could be altered there and still
/// pass.
///
/// Whatever is handed to cjose must pass this first: its decoder ends the process by an assertion
/// on text of an impossible length.
std::optional<std::string> DecodeBase64Url(std::string_view text);

}  // namespace ridestream::identity
