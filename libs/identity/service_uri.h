#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ridestream::identity {

/// The URI that names a service in its certificate: "spiffe://ridestream/service/dispatch".
std::string ServiceUri(std::string_view service);

/// The service that a URI names; nullopt for any other URI.
std::optional<std::string> ServiceOfUri(std::string_view uri);

}  // namespace ridestream::identity
