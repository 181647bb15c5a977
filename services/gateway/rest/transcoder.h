#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "services/gateway/http/message.h"
#include "services/gateway/rest/routes.h"

namespace ridestream::gateway {

/// Converts a REST request to its serialized message: the body, the path's variables, the query and
/// the Idempotency-Key, by protobuf's JSON mapping. INVALID_ARGUMENT names a field that doesn't
/// exist, has an invalid value, or is given in two places with different values.
///
/// `after`, unless empty, sets the route's field for the position to continue after.
absl::StatusOr<std::string> RequestToMessage(const Route& route, const Variables& variables,
                                             const Request& request, std::string_view after = {});

/// Converts a response to JSON on one line. Unset scalars and lists are included with their
/// defaults. INTERNAL if the bytes aren't a message of this type.
absl::StatusOr<std::string> MessageToJson(const google::protobuf::Descriptor& type,
                                          std::string_view bytes);

/// The position of a response in its stream: the first of the route's position fields that is set,
/// as text; empty if none is set.
std::string PositionOf(const Route& route, std::string_view bytes);

}  // namespace ridestream::gateway
