#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "grpcpp/client_context.h"
#include "grpcpp/server_context.h"
#include "libs/rpc/elsewhere.h"

namespace ridestream::rpc {

/// Names the market that an outgoing call concerns, so that a proxy finds the process of that
/// market without reading the call's messages, which alone decide what the call does. Nothing if it
/// is empty.
void SetMarket(grpc::ClientContext& context, const std::string& market);

/// The market that a call names; empty if it names none. INVALID_ARGUMENT when it names two, or one
/// that isn't an id.
absl::StatusOr<std::string> MarketOf(const grpc::ServerContextBase& context);

}  // namespace ridestream::rpc
