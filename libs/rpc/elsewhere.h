#pragma once

#include <string>

#include "absl/status/status.h"

namespace ridestream::rpc {

/// Trailing metadata of a refusal that sends the caller to another market, and to another process
/// as host:port. The key of the market is also that of a request's own market.
inline constexpr char kMarketKey[] = "ridestream-market";
inline constexpr char kAddressKey[] = "ridestream-address";

/// The same status with the market, or the address, that the caller has to go to.
absl::Status WithMarket(absl::Status status, const std::string& market);
absl::Status WithAddress(absl::Status status, const std::string& address);

}  // namespace ridestream::rpc
