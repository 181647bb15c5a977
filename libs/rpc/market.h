#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "grpcpp/client_context.h"
#include "grpcpp/server_context.h"
#include "libs/rpc/elsewhere.h"

namespace ridestream::rpc {

/// Adds the market that an outgoing call concerns to its metadata, so that a proxy can route the
/// call without reading its messages. The messages alone decide what the call does. Does nothing if
/// `market` is empty.
void SetMarket(grpc::ClientContext& context, const std::string& market);

/// The market in a call's metadata; empty if there is none. INVALID_ARGUMENT for two markets, or
/// for a value that isn't an id.
absl::StatusOr<std::string> MarketOf(const grpc::ServerContextBase& context);

}  // namespace ridestream::rpc
