#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ridestream::gateway {

/// The bytes that %XX stand for; other characters are themselves. Other text stays.
std::string PercentDecode(std::string_view text);

/// Name and value of each parameter of a URL's query or of a form's body, in their order, with
/// percent-encoding undone and '+' for a space. The value is empty without a '='. Empty parameters
/// ("&&") are left out; a name may be empty and may occur several times.
std::vector<std::pair<std::string, std::string>> ParseQuery(std::string_view query);

}  // namespace ridestream::gateway
