#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "nlohmann/json.hpp"

namespace ridestream::identity {

/// Parses one JSON object from an untrusted source. INVALID_ARGUMENT for anything else, for a name
/// that occurs twice in one object (parsers disagree about which value counts), and for objects and
/// arrays nested deeper than 8. The message never contains any part of the text.
absl::StatusOr<nlohmann::json> ParseStrictJson(std::string_view text);

}  // namespace ridestream::identity
