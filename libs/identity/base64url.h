#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ridestream::identity {

/// Decodes base64url without padding (RFC 7515). nullopt for any other text, including text whose
/// last character has unused bits that aren't zero: otherwise a token could be altered there and
/// still verify.
///
/// Everything that is passed to cjose must pass this function first: cjose's decoder aborts the
/// process on text of an impossible length.
std::optional<std::string> DecodeBase64Url(std::string_view text);

}  // namespace ridestream::identity
