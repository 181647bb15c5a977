#pragma once

#include <string>

#include "absl/status/status.h"

namespace ridestream::rpc {

/// Trailing metadata of a refusal that redirects the caller to another market, or to another
/// process as host:port. Requests use the market's key for their own market.
inline constexpr char kMarketKey[] = "ridestream-market";
inline constexpr char kAddressKey[] = "ridestream-address";

/// Adds the market, or the address, to which the caller is redirected.
absl::Status WithMarket(absl::Status status, const std::string& market);
absl::Status WithAddress(absl::Status status, const std::string& address);

}  // namespace ridestream::rpc
