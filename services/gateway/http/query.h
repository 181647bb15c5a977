#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ridestream::gateway {

/// Replaces each %XX by its byte. All other text stays as it is.
std::string PercentDecode(std::string_view text);

/// The names and values of the parameters of a URL's query or a form's body, in their order.
/// Percent-encoding is decoded, and '+' becomes a space. A parameter without '=' has an empty
/// value. Empty parameters ("&&") are left out. A name may be empty, and may occur several times.
std::vector<std::pair<std::string, std::string>> ParseQuery(std::string_view query);

}  // namespace ridestream::gateway
