#pragma once

#include <string>
#include <vector>

#include "grpcpp/client_context.h"
#include "grpcpp/server_context.h"

namespace ridestream::rpc {

/// The metadata by which one request of somebody outside can be followed through all services and
/// their logs (field `request`). A call that is made for several requests at once carries the ids
/// of all of them, so the key may come more than once.
inline constexpr char kRequestIdKey[] = "x-request-id";

/// Ids of one call; more of them are ignored. With 64 bytes each they take a fifth of a call's
/// metadata.
inline constexpr std::size_t kMaxRequestIds = 32;

/// The ids that a call came with, in their order, at most kMaxRequestIds. What IsId refuses isn't
/// taken: it would come from outside into every log.
std::vector<std::string> RequestIds(const grpc::ServerContextBase& context);

/// An id that no other request has.
std::string NewRequestId();

/// The first of RequestIds, or a new one.
std::string RequestIdOrNew(const grpc::ServerContextBase& context);

/// Says on an outgoing call for which request it is made. Nothing if the id is empty.
void AddRequestId(grpc::ClientContext& context, const std::string& id);

}  // namespace ridestream::rpc
