#pragma once

#include <string>

#include "services/gateway/rest/routes.h"

namespace ridestream::gateway {

/// The OpenAPI 3.1 document of the routes, as JSON. Paths come from the protos' HTTP options,
/// schemas from the descriptors by protobuf's JSON mapping, and descriptions from the protos'
/// comments.
std::string OpenApiDocument(const Routes& routes);

}  // namespace ridestream::gateway
