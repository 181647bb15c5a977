#include "libs/rpc/market.h"

#include <fmt/format.h>

#include <iterator>

#include "absl/status/status.h"
#include "libs/base/validation.h"

namespace ridestream::rpc {

void SetMarket(grpc::ClientContext& context, const std::string& market) {
  if (!market.empty()) context.AddMetadata(kMarketKey, market);
}

absl::StatusOr<std::string> MarketOf(const grpc::ServerContextBase& context) {
  const auto [first, last] = context.client_metadata().equal_range(kMarketKey);
  if (first == last) return "";
  if (std::next(first) != last) {
    return absl::InvalidArgumentError(
        fmt::format("metadata '{}' was sent more than once", kMarketKey));
  }
  std::string market(first->second.data(), first->second.size());
  if (absl::Status status = ValidateId(market, kMarketKey); !status.ok()) return status;
  return market;
}

}  // namespace ridestream::rpc
