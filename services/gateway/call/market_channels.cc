#include "services/gateway/call/market_channels.h"

#include <algorithm>
#include <utility>

#include "libs/rpc/channel.h"

namespace ridestream::gateway {

absl::StatusOr<std::shared_ptr<grpc::Channel>> MarketChannels::Take(std::string_view market,
                                                                    CallerClass caller_class) {
  const absl::StatusOr<std::string> address = options_.addresses.Find(market);
  if (!address.ok()) return address.status();
  const bool by_market = options_.markets_have_health && !options_.addresses.is_single() &&
                         rpc::IsAddressList(*address);
  const Target target(*address, by_market ? market : "");
  std::shared_ptr<rpc::ChannelPool> pool;
  {
    MutexLock lock(mu_);
    auto found = by_target_.find(target);
    if (found == by_target_.end()) {
      if (by_target_.size() >= options_.max_addresses) ForgetOldest();
      found = by_target_.emplace(target, Entry{MakePools(target)}).first;
    }
    found->second.used_at = ++uses_;
    pool = found->second.pools[static_cast<std::size_t>(caller_class)];
  }
  return pool->Take();
}

std::size_t MarketChannels::size() const {
  MutexLock lock(mu_);
  return by_target_.size();
}

MarketChannels::Pools MarketChannels::MakePools(const Target& target) const {
  Pools pools;
  const rpc::ChannelPool::Options pool_options;
  for (std::size_t i = 0; i < kCallerClasses; ++i) {
    const int first = static_cast<int>(i) * pool_options.max_channels;
    pools[i] = std::make_shared<rpc::ChannelPool>(
        [target, first, retried = options_.retried_services,
         credentials = options_.credentials](int connection) {
          return rpc::MakeChannel(target.first, {.retried_services = retried,
                                                 .connection = first + connection,
                                                 .keepalive = rpc::kInnerKeepalive,
                                                 .health_part = target.second,
                                                 .credentials = credentials});
        },
        pool_options);
  }
  return pools;
}

void MarketChannels::ForgetOldest() {
  by_target_.erase(std::min_element(
      by_target_.begin(), by_target_.end(),
      [](const auto& a, const auto& b) { return a.second.used_at < b.second.used_at; }));
}

}  // namespace ridestream::gateway
