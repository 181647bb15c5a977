#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "services/gateway/http/message.h"
#include "services/gateway/rest/routes.h"

namespace ridestream::gateway {

/// The message that a request of REST means, serialized: its body, with the path's variables, the
/// query and the Idempotency-Key, read by protobuf's JSON mapping. INVALID_ARGUMENT names the field
/// that isn't there, or whose value doesn't fit, or that two places say differently.
///
/// `after`, if it isn't empty, is the value of the route's field of that name.
absl::StatusOr<std::string> RequestToMessage(const Route& route, const Variables& variables,
                                             const Request& request, std::string_view after = {});

/// A response's JSON, on one line. Fields of scalars and lists are always there, as protobuf has
/// them when nothing was set. INTERNAL for bytes that aren't such a message.
absl::StatusOr<std::string> MessageToJson(const google::protobuf::Descriptor& type,
                                          std::string_view bytes);

/// The position of a response in its stream: the number or text of the first of the route's
/// positions that is set; empty if none is.
std::string PositionOf(const Route& route, std::string_view bytes);

}  // namespace ridestream::gateway
