#include "libs/rpc/elsewhere.h"

#include "absl/strings/cord.h"

namespace ridestream::rpc {

absl::Status WithMarket(absl::Status status, const std::string& market) {
  status.SetPayload(kMarketKey, absl::Cord(market));
  return status;
}

absl::Status WithAddress(absl::Status status, const std::string& address) {
  status.SetPayload(kAddressKey, absl::Cord(address));
  return status;
}

}  // namespace ridestream::rpc
