#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ridestream::identity {

/// The URI in a service's certificate that names it: "spiffe://ridestream/service/dispatch".
std::string ServiceUri(std::string_view service);

/// The service that the URI names; nothing for any other URI.
std::optional<std::string> ServiceOfUri(std::string_view uri);

}  // namespace ridestream::identity
