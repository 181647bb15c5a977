#pragma once

#include <string>
#include <vector>

#include "grpcpp/client_context.h"
#include "grpcpp/server_context.h"

namespace ridestream::rpc {

/// The metadata key by which an outside request can be followed through all services and their logs
/// (field `request`). A call on behalf of several requests carries all their ids, so the key may
/// occur more than once.
inline constexpr char kRequestIdKey[] = "x-request-id";

/// Maximum number of ids of one call; further ids are ignored. At 64 bytes each they take a fifth
/// of the metadata's limit.
inline constexpr std::size_t kMaxRequestIds = 32;

/// The ids in a call's metadata, in order, at most kMaxRequestIds. Values that IsId rejects are
/// ignored, because they would get from outside into every log.
std::vector<std::string> RequestIds(const grpc::ServerContextBase& context);

/// Returns a new unique id.
std::string NewRequestId();

/// The first of RequestIds, or a new one.
std::string RequestIdOrNew(const grpc::ServerContextBase& context);

/// Adds the id of the request on whose behalf an outgoing call is made. Does nothing if the id is
/// empty.
void AddRequestId(grpc::ClientContext& context, const std::string& id);

}  // namespace ridestream::rpc
