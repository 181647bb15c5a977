#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "grpcpp/client_context.h"
#include "grpcpp/server_context.h"

namespace ridestream::rpc {

/// The metadata that names the market a call concerns, so that a proxy finds the process of that
/// market without reading the call's messages. What the messages say decides what the call does.
inline constexpr char kMarketKey[] = "ridestream-market";

/// Names the market on an outgoing call. Nothing if it is empty.
void SetMarket(grpc::ClientContext& context, const std::string& market);

/// The market that a call names; empty if it names none. INVALID_ARGUMENT when it names two, or one
/// that is no id.
absl::StatusOr<std::string> MarketOf(const grpc::ServerContextBase& context);

}  // namespace ridestream::rpc
